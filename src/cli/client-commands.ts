/**
 * The commands that ask a running supervisor. To add one: a row here, and its action in src/ctl/commands/ and
 * src/ctl/command-table.ts. Pure data.
 */
import { FAILED, FAILED_OR_ALONE, NAMES, NO_SOCKET, NO_SUPERVISOR, REFUSED } from './command-phrases.ts';
import type { CommandSpec, OptionSpec } from './command-spec.ts';
import { logsCommand } from './logs-command.ts';

const TIMEOUT: OptionSpec = {
  names: ['--timeout'],
  value: 'TIME',
  valueKind: 'text',
  help: 'stop waiting after this time (30, 1m30s); the start continues',
};
const LOGS: OptionSpec = {
  names: ['--logs'],
  help: 'then show what the processes have written since the command began, and follow it until Ctrl-C',
};
/** Exit code of the commands that look at processes. */
const NO_ANSWER_OR_NAME = [4, 'no supervisor answers, or there is no such name'] as const;
const NOT_RUNNING = [7, 'a process is not running, or cannot be started; or there is no such socket'] as const;

/** Commands of the client, in the order of `--help`. */
export const clientCommands: readonly CommandSpec[] = [
  {
    name: 'status',
    kind: 'client',
    group: 'look',
    summary: 'Show the state of processes',
    usage: ['status [--problems] [--stats] [-v] [--json] [--watch[=SECONDS]] [NAME…]'],
    takes: ['processes'],
    options: [
      { names: ['--problems'], help: 'show failures first' },
      { names: ['--stats'], help: 'measure the processor time and the memory of each process tree' },
      { names: ['-v'], help: 'describe each process, as `onevisor describe`' },
      { names: ['--json'], help: 'print all facts of each process, as one JSON array' },
      {
        names: ['--watch'],
        value: 'SECONDS',
        join: '=',
        help: 'show it again and again, every 2 seconds by default, until Ctrl-C',
      },
    ],
    details: [
      NAMES,
      'Green is up, yellow is on its way, not ready or flapping, red has failed, grey does not run. Symbols and ' +
        'words ' +
        'say the same: NO_COLOR=1 switches colours off, and without UTF-8 in the locale the symbols are * ~ ! and -. ' +
        'WHY has the reason: the last exit and the last line of its output, a failed check, the process it waits ' +
        'for, ' +
        'the next run.',
      'Lines are never wrapped. A narrow terminal leaves out PID, RESTARTS, UPTIME, MEM, CPU, READY and WHY, in this ' +
        'order. Through a pipe, and as `supervisorctl`, the table is that of Supervisor; with --problems or --stats ' +
        'it is ours, complete.',
    ],
    examples: [
      { line: 'onevisor status', effect: 'all processes' },
      { line: 'onevisor status --problems', effect: 'failures first' },
      { line: "onevisor status 'worker:*'", effect: 'the processes of a group' },
      { line: 'onevisor status --json web', effect: 'for a script' },
    ],
    exitCodes: [
      [1, 'the supervisor refuses the user'],
      [3, 'a process is stopped, has exited or failed'],
      NO_ANSWER_OR_NAME,
    ],
  },
  logsCommand,
  {
    name: 'describe',
    kind: 'client',
    group: 'look',
    summary: 'Show everything about a process',
    usage: ['describe NAME…'],
    takes: ['processes'],
    details: [
      'State, health, place in the configuration, command, limits, dependencies, process tree with its use of ' +
        'memory, ' +
        'the latest ends with their reasons, and the last lines of its output, also of the run before.',
    ],
    examples: [{ line: 'onevisor describe web', effect: 'one process' }],
    exitCodes: [[1, 'the supervisor refuses the user'], [2, 'the command line is wrong'], NO_ANSWER_OR_NAME],
  },
  {
    name: 'why',
    kind: 'client',
    group: 'look',
    summary: 'Explain the state of a process in one paragraph',
    usage: ['why NAME…'],
    takes: ['processes'],
    details: ['For a bug report: what happened, what asked for it, the last line of the output, and what follows.'],
    examples: [{ line: 'onevisor why web', effect: 'one process' }],
    exitCodes: [[1, 'the supervisor refuses the user'], [2, 'the command line is wrong'], NO_ANSWER_OR_NAME],
  },
  {
    name: 'wait',
    kind: 'client',
    group: 'look',
    summary: 'Wait until processes are up, healthy or done',
    usage: ['wait [--timeout TIME] NAME[:CONDITION]…'],
    takes: ['conditions'],
    options: [
      { names: ['--timeout'], value: 'TIME', valueKind: 'text', help: 'longest wait; 60 seconds without this' },
    ],
    details: [
      'A CONDITION is `started`, `ready` (started, and ready if it reports that), `healthy`, `completed` (ended ' +
        'with an ' +
        'expected exit code) or `exited` (ended in any way). Without one: completed for a oneshot or a scheduled ' +
        'program, otherwise healthy if it has a health check, ready if it reports that, or started.',
      'What happens during the wait counts even if it is over at once. The wait ends early if a condition can ' +
        'only be ' +
        'met after an action of a person: the process is FATAL, was stopped, or ended with another exit code.',
    ],
    examples: [
      { line: 'onevisor wait db', effect: 'until db can be used, at most a minute' },
      { line: 'onevisor wait --timeout 300 db:started web:healthy', effect: 'in a script, for two processes' },
    ],
    exitCodes: [
      [1, 'the supervisor refuses the user'],
      [2, 'the command line is wrong'],
      [3, 'a condition can no longer be met'],
      NO_ANSWER_OR_NAME,
      [124, 'the time is over'],
    ],
  },
  {
    name: 'top',
    kind: 'client',
    group: 'look',
    summary: 'Show all processes on a full screen, live, with logs',
    usage: ['top [--read-only]'],
    takes: [],
    options: [{ names: ['--read-only'], help: 'switch off the keys that start, stop and signal processes' }],
    details: [
      'A table to sort and filter, and the log or the description of the chosen process below it. Keys start, stop, ' +
        'restart and signal it: `?` shows them. What hurts is confirmed first.',
      'Without a terminal it prints what `onevisor status` prints, once.',
    ],
    examples: [
      { line: 'onevisor top', effect: 'all processes' },
      { line: 'onevisor top --read-only', effect: 'to look only' },
    ],
    exitCodes: [
      [1, 'the supervisor refuses the user'],
      [3, 'without a terminal: a process is stopped, has exited or failed'],
      NO_SUPERVISOR,
    ],
  },
  {
    name: 'tail',
    kind: 'client',
    group: 'look',
    summary: 'Show the end of the output of a process, or follow it',
    usage: ['tail [-f | -BYTES] NAME [stdout|stderr]', 'tail -f NAME… [stdout|stderr]'],
    takes: ['processes', 'stream'],
    options: [
      { names: ['-f'], help: 'follow the output until Ctrl-C' },
      { names: ['-BYTES'], help: 'the last BYTES bytes; 1600 without this' },
    ],
    examples: [
      { line: 'onevisor tail web', effect: 'the last 1600 bytes of stdout' },
      { line: 'onevisor tail -f web stderr', effect: 'stderr, as it is written' },
      { line: "onevisor tail -f web 'worker:*'", effect: 'several, with names before the lines' },
      { line: 'onevisor tail -100 web', effect: 'the last 100 bytes' },
    ],
    exitCodes: [FAILED, REFUSED, NO_SOCKET],
  },
  {
    name: 'maintail',
    kind: 'client',
    group: 'look',
    summary: 'Show the end of the log of the supervisor, or follow it',
    usage: ['maintail [-f | -BYTES]'],
    takes: [],
    options: [
      { names: ['-f'], help: 'follow the log until Ctrl-C' },
      { names: ['-BYTES'], help: 'the last BYTES bytes; 1600 without this' },
    ],
    details: ['The supervisor has a log of its own only if `logfile` is set.'],
    exitCodes: [FAILED, REFUSED, NO_SOCKET],
  },
  {
    name: 'pid',
    kind: 'client',
    group: 'look',
    summary: 'Print the pid of the supervisor, or of processes',
    usage: ['pid [NAME… | all]'],
    takes: ['processes'],
    examples: [{ line: 'kill -HUP "$(onevisor pid web)"', effect: 'a signal without the supervisor' }],
    exitCodes: [FAILED, REFUSED, NOT_RUNNING],
  },
  {
    name: 'avail',
    kind: 'client',
    group: 'look',
    summary: 'List all processes of the configuration',
    usage: ['avail'],
    takes: [],
    details: ['Also those that are not active yet, with their autostart and priorities.'],
    exitCodes: [FAILED_OR_ALONE],
  },
  {
    name: 'start',
    kind: 'client',
    group: 'act',
    summary: 'Start processes, and wait until they are up',
    usage: ['start [--with-dependencies] [--timeout TIME] [--logs] NAME…'],
    takes: ['processes'],
    options: [
      {
        names: ['--with-dependencies'],
        help: 'first start the programs that it waits for (depends_on) and that do not run',
      },
      TIMEOUT,
      LOGS,
    ],
    details: [NAMES],
    examples: [
      { line: 'onevisor start web', effect: 'one process' },
      { line: 'onevisor start --with-dependencies web', effect: 'one process, after what it needs' },
      { line: "onevisor start --timeout 30 'worker:*'", effect: 'a group; exit code 124 after 30 s' },
    ],
    exitCodes: [FAILED, REFUSED, NOT_RUNNING, [124, 'the time is over; the start continues']],
  },
  {
    name: 'stop',
    kind: 'client',
    group: 'act',
    summary: 'Stop processes, and wait until they have ended',
    usage: ['stop [--with-dependents] NAME…'],
    takes: ['processes'],
    options: [{ names: ['--with-dependents'], help: 'first stop the programs that depend on it (depends_on)' }],
    details: [NAMES, 'A second `stop` of a process that is still stopping kills it.'],
    examples: [
      { line: 'onevisor stop web', effect: 'one process' },
      { line: "onevisor stop 'worker_*'", effect: 'all processes whose names match' },
    ],
    exitCodes: [FAILED, REFUSED, NOT_RUNNING],
  },
  {
    name: 'restart',
    kind: 'client',
    group: 'act',
    summary: 'Stop and start processes',
    usage: ['restart [--rolling | --with-dependents] [--timeout TIME] [--logs] NAME…'],
    takes: ['processes'],
    options: [
      {
        names: ['--rolling'],
        help: 'one process after the other; stop at the first that does not come up, or is not healthy',
      },
      {
        names: ['--with-dependents'],
        help: 'stop the programs that depend on it (depends_on) before, and start them after it',
      },
      TIMEOUT,
      LOGS,
    ],
    details: [NAMES, 'The configuration is not read again; `onevisor update` does that.'],
    examples: [
      { line: 'onevisor restart web', effect: 'one process' },
      { line: 'onevisor restart --with-dependents db', effect: 'one process, and those that need it' },
      { line: "onevisor restart --rolling 'worker:*'", effect: 'a group, without a gap' },
    ],
    exitCodes: [FAILED, REFUSED, NOT_RUNNING, [124, 'the time is over; the start continues']],
  },
  {
    name: 'signal',
    kind: 'client',
    group: 'act',
    summary: 'Send a signal to processes',
    usage: ['signal SIGNAL NAME…'],
    takes: ['signal', 'processes'],
    details: ['A SIGNAL is a name such as HUP or SIGHUP, or a number.', NAMES],
    examples: [{ line: 'onevisor signal CONT web', effect: 'one process' }],
    exitCodes: [FAILED, REFUSED, NOT_RUNNING],
  },
  {
    name: 'reload-program',
    kind: 'client',
    group: 'act',
    summary: 'Make programs read their own configuration again',
    usage: ['reload-program NAME…'],
    takes: ['processes'],
    details: [
      'Sends `reload_signal` to the process, or runs `reload_command` and waits for its end. One of both must be ' +
        'set, and the process must run. `onevisor reload` restarts the supervisor.',
      NAMES,
    ],
    examples: [
      { line: 'onevisor reload-program web', effect: 'one process' },
      { line: "onevisor reload-program 'worker:*'", effect: 'a group, one after the other' },
    ],
    exitCodes: [FAILED, NO_SUPERVISOR],
  },
  {
    name: 'scale',
    kind: 'client',
    group: 'act',
    summary: 'Give a program another number of processes',
    usage: ['scale PROGRAM=COUNT…'],
    takes: ['text'],
    details: [
      'Starts or stops only the difference: the processes with the highest numbers go first. The number stays over ' +
        '`update` and `reload`, until `numprocs` of the program changes in the configuration.',
      'The process_name of the program must contain %(process_num), as for `numprocs` above 1. A program that uses ' +
        '%(numprocs)s is executed anew.',
    ],
    examples: [{ line: 'onevisor scale worker=5', effect: 'five processes of [program:worker]' }],
    exitCodes: [FAILED, NO_SUPERVISOR],
  },
  {
    name: 'notify',
    kind: 'client',
    group: 'act',
    summary: 'Send a test message by sections [notify:x]',
    usage: ['notify NAME…'],
    takes: ['text'],
    details: [
      'One attempt, without throttle and retries. A failure is printed with its reason. NAME is the x of [notify:x]; ' +
        'the supervisor must have read the section: `onevisor update`.',
    ],
    examples: [{ line: 'onevisor notify ops', effect: 'the command or URL of [notify:ops]' }],
    exitCodes: [FAILED, NO_SUPERVISOR],
  },
  {
    name: 'clear',
    kind: 'client',
    group: 'act',
    summary: 'Empty the logs of processes',
    usage: ['clear NAME…'],
    takes: ['processes'],
    exitCodes: [FAILED, REFUSED, NO_SOCKET],
  },
  {
    name: 'reopen',
    kind: 'client',
    group: 'act',
    summary: 'Reopen the log files of processes',
    usage: ['reopen NAME…'],
    takes: ['processes'],
    details: [
      'For logrotate and the like, after they have renamed a file: the next line goes to a new file. SIGUSR2 for the ' +
        'supervisor reopens the files of all programs.',
      NAMES,
    ],
    examples: [{ line: 'onevisor reopen web', effect: 'both logs of a process' }],
    exitCodes: [FAILED, NO_SUPERVISOR],
  },
  {
    name: 'rotate',
    kind: 'client',
    group: 'act',
    summary: 'Rotate the log files of processes now',
    usage: ['rotate NAME…'],
    takes: ['processes'],
    details: [
      'As when a file has reached `stdout_logfile_maxbytes`: it becomes the backup .1. A line that has not ended ' +
        'stays whole: the file is rotated at its end. Logs without backups are left alone.',
      NAMES,
    ],
    examples: [{ line: 'onevisor rotate web', effect: 'both logs of a process' }],
    exitCodes: [FAILED, NO_SUPERVISOR],
  },
  {
    name: 'run',
    kind: 'client',
    group: 'act',
    summary: 'Run a command as a program would run',
    usage: ['run NAME -- CMD [ARG…]'],
    takes: ['processes', 'text'],
    details: [
      'CMD has the user, directory, environment, umask and limits of the process NAME, and the terminal of this ' +
        'command. The supervisor does not restart or log it. It is looked up in the PATH of the program.',
      'Works where the files of the program are: in its container, over a unix socket.',
    ],
    examples: [
      { line: 'onevisor run web -- env', effect: 'the variables of a program' },
      { line: 'onevisor run web -- sh', effect: 'a shell with them' },
    ],
    exitCodes: [
      [1, 'the supervisor gives no settings, or refuses the user; or the exit code of CMD'],
      NO_SUPERVISOR,
      [126, 'CMD cannot be executed'],
      [127, 'there is no CMD'],
    ],
  },
  {
    name: 'fg',
    kind: 'client',
    group: 'act',
    summary: 'Follow the output of a process, and send it lines',
    usage: ['fg NAME'],
    takes: ['processes'],
    details: ['What is typed goes to the standard input of the process. Ctrl-C returns; the process goes on.'],
    exitCodes: [FAILED, REFUSED, NO_SOCKET],
  },
  {
    name: 'reread',
    kind: 'client',
    group: 'change',
    summary: 'Read the configuration again, and list the changes',
    usage: ['reread'],
    takes: [],
    details: ['Changes nothing. `onevisor update` applies the changes.'],
    exitCodes: [[1, 'the configuration has an error, no supervisor answers, or it refuses the user']],
  },
  {
    name: 'update',
    kind: 'client',
    group: 'change',
    summary: 'Read the configuration again, and apply the changes',
    usage: ['update [--dry-run] [GROUP… | all]'],
    takes: ['groups'],
    options: [{ names: ['--dry-run'], help: 'show the changes, and make none' }],
    details: ['Only processes that must be executed anew are restarted.'],
    examples: [
      { line: 'onevisor update --dry-run', effect: 'what would happen' },
      { line: 'onevisor update', effect: 'all changes' },
    ],
    exitCodes: [
      [1, 'the configuration has an error, there is no such group, no supervisor answers, or it refuses the user'],
    ],
  },
  {
    name: 'add',
    kind: 'client',
    group: 'change',
    summary: 'Activate groups of the configuration that was read again',
    usage: ['add GROUP…'],
    takes: ['groups'],
    exitCodes: [FAILED_OR_ALONE],
  },
  {
    name: 'remove',
    kind: 'client',
    group: 'change',
    summary: 'Deactivate groups whose processes have stopped',
    usage: ['remove GROUP…'],
    takes: ['groups'],
    exitCodes: [FAILED_OR_ALONE],
  },
  {
    name: 'reload',
    kind: 'client',
    group: 'supervisor',
    summary: 'Restart the supervisor and all processes',
    usage: ['reload'],
    takes: [],
    details: ['On a terminal of the shell it asks first. `onevisor update` restarts only what has changed.'],
    exitCodes: [FAILED_OR_ALONE],
  },
  {
    name: 'shutdown',
    kind: 'client',
    group: 'supervisor',
    summary: 'Stop all processes and the supervisor, and its container',
    usage: ['shutdown'],
    takes: [],
    details: ['A second `shutdown` kills the processes that are still stopping.'],
    exitCodes: [FAILED_OR_ALONE],
  },
  {
    name: 'version',
    kind: 'client',
    group: 'supervisor',
    summary: 'Print the version of Supervisor that the supervisor has',
    usage: ['version'],
    takes: [],
    details: ['`onevisor --version` prints our own version, and asks no supervisor.'],
    exitCodes: [[1, 'the supervisor refuses the user'], REFUSED, NO_SOCKET],
  },
  {
    name: 'open',
    kind: 'shell',
    group: 'supervisor',
    summary: 'Go on with the supervisor at another address',
    usage: ['ctl', 'open URL'],
    takes: ['text'],
  },
  {
    name: 'quit',
    kind: 'shell',
    group: 'supervisor',
    summary: 'Leave the shell; exit and Ctrl-D do the same',
    usage: ['ctl', 'quit'],
    takes: [],
  },
  {
    name: 'exit',
    kind: 'shell',
    group: 'supervisor',
    summary: 'Leave the shell',
    usage: ['ctl', 'exit'],
    takes: [],
  },
];
