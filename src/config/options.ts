/**
 * Tables of every option of every section: name, type, default, scope of expansion, one sentence. The types of the
 * values, the reference, the sample, the warnings about unknown names, and the changes that a running process can take
 * all follow from these tables. In each table, options of Supervisor 4.3 come first; `isAddition` marks our own.
 */
import { MAX_RESTART_TIMES } from '../core/history.ts';
import { ROLES } from '../core/role.ts';
import { type Limit, LIMITED_RESOURCES, type LimitedResource } from '../core/resource-limits.ts';
import { capabilityRule } from './capability-type.ts';
import { hookCommand } from './command-type.ts';
import { cron, timeZone } from './cron.ts';
import {
  autorestart,
  boolean,
  byteSize,
  choice,
  duration,
  existingDirectory,
  exitCodes,
  fileMode,
  filePath,
  inetAddress,
  integer,
  integerBetween,
  nameList,
  numberFrom,
  octal,
  owner,
  secondsNumber,
  socketPath,
  terminalSize,
  text,
  wordList,
  workingDirectory,
} from './datatypes.ts';
import { dependencyList, startupList } from './dependency-spec.ts';
import { environment, environmentFiles, fileVariables, variableNames } from './environment-types.ts';
import { limit, memoryLimit, processors } from './limit-types.ts';
import { fcgiSocket, listenList } from './listen-type.ts';
import { logTargets, mainLogTargets } from './log-target.ts';
import { logLevel, logTemplate, prefixWidth, rotateInterval, tailSize } from './log-types.ts';
import { alertEvents, alertTemplate, alertTimeout, alertUrl, headers, laterFile } from './notify-types.ts';
import { type Option, rowsOf, type Table, type Values } from './option.ts';
import { pathPatterns } from './path-patterns-type.ts';
import { historyPeriod, peerList } from './peer-types.ts';
import { linePattern } from './pattern-type.ts';
import { checkDuration, probe, statusRanges } from './probe-type.ts';
import { forwardList, signal, signalList, stopSignalList } from './signal-types.ts';

const KB = 1024;
const MB = 1024 * 1024;
const bare = rowsOf('bare');
const here = rowsOf('here');
const program = rowsOf('program');
const proc = rowsOf('process');
const live = { isLive: true } as const;
const added = { isAddition: true } as const;
const addedLive = { isAddition: true, isLive: true } as const;
const logFormat = choice('raw', 'prefix', 'json', 'logfmt');
const logTimestamp = choice('iso8601', 'none');
const logJsonLines = choice('nest', 'message', 'pass', 'string');

const STOP_BUDGET =
  'Maximum time from a stop signal to our own exit, for programs, hooks and output together; the default of ' +
  'stopwaitsecs is 2 seconds less.';
const STOP_BUDGET_DEFAULT =
  'shutdown_timeout; otherwise, in a container, 9.5 or the longest configured stopwaitsecs plus 1 second';

const MULTILINE =
  'Regular expression: a line that matches begins a record, and other lines belong to the one before, in the formats ' +
  'json and logfmt and in syslog.';

/** `[supervisord]` */
export const supervisordOptions = {
  logfile: here.option(
    mainLogTargets,
    [{ kind: 'file', path: 'supervisord.log' }],
    'Log of the supervisor itself: a path, NONE, /dev/stdout, syslog://host:514, or several with commas.',
    {
      ...live,
      containerDefault: [{ kind: 'none' }],
      defaultText: 'supervisord.log in the working directory',
      sample: '/tmp/supervisord.log',
    },
  ),
  logfile_maxbytes: here.option(byteSize, 50 * MB, 'Size at which that log is rotated; 0 for never.', {
    ...live,
    sample: '50MB',
  }),
  logfile_backups: here.option(integer, 10, 'Number of rotated logs to keep; 0 for none.', live),
  loglevel: here.option(
    logLevel,
    'info',
    'Lowest level of its log lines: critical, error, warn, info, debug, trace, blather.',
    live,
  ),
  pidfile: here.optional(filePath, 'File for the pid of the supervisor.', {
    default: 'supervisord.pid',
    containerDefault: null,
    defaultText: 'supervisord.pid in the working directory',
    sample: '/tmp/supervisord.pid',
  }),
  umask: here.option(octal, 0o022, 'File creation mask of the supervisor.', { sample: '022' }),
  nodaemon: here.option(boolean, false, 'Stay in the foreground; a container always does.', { containerDefault: true }),
  silent: here.option(boolean, false, 'Do not repeat the log on standard output when in the foreground.'),
  minfds: here.option(integer, 1024, 'File descriptors that must be available.'),
  minprocs: here.option(integer, 200, 'Processes that must be available.'),
  nocleanup: here.option(boolean, false, 'Keep old logs that were made for AUTO.'),
  childlogdir: here.option(existingDirectory, '/tmp', 'Directory of the logs made for AUTO.', {
    defaultText: 'the directory for temporary files',
  }),
  user: here.optional(owner, 'User that the supervisor becomes.', { sample: 'app' }),
  directory: here.optional(workingDirectory, 'Working directory of the supervisor when it is a daemon.', {
    sample: '/tmp',
  }),
  strip_ansi: here.option(boolean, false, 'Remove ANSI escape sequences from the logs of programs.', live),
  environment: here.option(environment, new Map(), 'Variables for all programs.', { sample: 'KEY="value"' }),
  identifier: here.option(text, 'supervisor', 'Name of this supervisor for its clients.'),
  log_format: here.optional(logFormat, 'Format of log lines on the container’s streams: raw, prefix, json, logfmt.', {
    ...addedLive,
    sample: 'prefix',
  }),
  log_prefix: here.optional(logTemplate, 'Template of the prefix of log lines.', {
    ...addedLive,
    scope: 'raw',
    sample: '"%(process_name)s | "',
  }),
  log_prefix_width: here.option(
    prefixWidth,
    24,
    'Most columns of a name in a prefix without a template; longer names are cut in the middle, and 0 is no limit.',
    addedLive,
  ),
  log_timestamp: here.option(logTimestamp, 'none', 'Time before each line in the format prefix.', addedLive),
  log_json_lines: here.option(
    logJsonLines,
    'nest',
    'Treatment of lines that are JSON objects, in the format json.',
    addedLive,
  ),
  log_partial_after: here.option(
    duration,
    5,
    'Maximum delay of an incomplete line; 0 for none, 100ms at most on a terminal.',
    addedLive,
  ),
  log_multiline: here.optional(linePattern, MULTILINE, { ...added, sample: '^\\d{4}-' }),
  rotate_interval: here.optional(rotateInterval, 'Rotate logs also by time: hourly, daily, weekly, or a duration.', {
    ...addedLive,
    sample: 'daily',
  }),
  compress: here.option(boolean, false, 'Compress rotated logs.', addedLive),
  logfile_mode: here.optional(fileMode, 'Mode of the log of the supervisor.', {
    ...added,
    defaultText: '0666 without the umask',
    sample: '0640',
  }),
  logfile_owner: here.optional(owner, 'User, and optionally group, that this log belongs to.', {
    ...added,
    defaultText: 'the user of the supervisor',
    sample: 'root:root',
  }),
  logfile_mkdir: here.option(boolean, false, 'Make missing directories of log files, with the mode 0755.', added),
  flapping_restarts: here.option(
    integerBetween(1, MAX_RESTART_TIMES),
    3,
    'Unexpected restarts within flapping_window from which a process counts as flapping.',
    addedLive,
  ),
  flapping_window: here.option(duration, 600, 'Period of time for flapping_restarts.', addedLive),
  expand_file_variables: here.option(
    fileVariables,
    false,
    'Variables NAME_FILE that become NAME: names and patterns, or true for files in /run/secrets.',
    { ...added, sample: 'DB_PASSWORD, API_*' },
  ),
  tail_bytes: here.option(tailSize, 64 * KB, 'Latest output of each stream that is kept in memory; 0 for none.', {
    ...addedLive,
    defaultText: '64KB',
    sample: '64KB',
  }),
  watch_config: here.option(boolean, false, 'Update when a file of the configuration has changed.', {
    ...added,
    sample: 'true',
  }),
  exit_when_idle: here.option(boolean, false, 'Exit when no process runs or is due to start.', added),
  success_exit_codes: here.option(
    exitCodes,
    [],
    'Exit codes of programs that become 0 when they shut down the supervisor.',
    {
      ...addedLive,
      sample: '143',
    },
  ),
  shutdown_timeout: here.optional(duration, 'Maximum duration of a shutdown before SIGKILL.', {
    ...addedLive,
    sample: '30s',
  }),
  shutdown_delay: here.option(
    duration,
    0,
    'Time from a request to shut down until programs are stopped, in which they serve while /readyz answers 503.',
    { ...addedLive, sample: '5s' },
  ),
  stop_budget: here.optional(duration, STOP_BUDGET, { ...addedLive, defaultText: STOP_BUDGET_DEFAULT, sample: '30s' }),
  forward_signals: here.option(
    forwardList,
    [],
    'Signals to forward to a program, also as another signal; those that shut down do both.',
    { ...addedLive, sample: 'USR1:web' },
  ),
  stop_on_signals: here.option(
    stopSignalList,
    [],
    'Further signals that shut down, as TERM does; WINCH only without a terminal.',
    { ...addedLive, sample: 'WINCH' },
  ),
  oom_score_adj: here.optional(
    integerBetween(-1000, 1000),
    'Preference of the kernel to kill the supervisor when memory runs out; programs keep the one that it was started ' +
      'with.',
    { ...added, defaultText: '-999 for PID 1 with CAP_SYS_RESOURCE, otherwise unchanged', sample: '-500' },
  ),
} as const;

const authentication = {
  username: bare.optional(text, 'User name that clients need.', { sample: 'user' }),
  password: bare.optional(text, 'Password that clients need; plain, or {SHA} and the hash in hexadecimal digits.', {
    isSecret: true,
    sample: '123',
  }),
  metrics_auth: bare.option(boolean, true, 'Require the same authentication for /metrics.', added),
  probes_auth: bare.option(boolean, true, 'Require the same authentication for /healthz and /readyz.', added),
};

/** `[unix_http_server]` */
export const unixServerOptions = {
  file: here.option(socketPath, '', 'Path of the control socket.', {
    isRequired: true,
    sample: '/tmp/supervisor.sock',
  }),
  chmod: bare.option(octal, 0o700, 'Mode of the socket.', { sample: '0700' }),
  chown: bare.optional(owner, 'Owner of the socket.', { sample: 'nobody:nogroup' }),
  ...authentication,
} as const;

/** `[inet_http_server]` */
export const inetServerOptions = {
  port: bare.option(inetAddress, { host: '', port: 0 }, 'Address of the HTTP server.', {
    isRequired: true,
    sample: '127.0.0.1:9001',
  }),
  ...authentication,
  allow_insecure: bare.option(boolean, false, 'Serve without a password on other interfaces than loopback.', added),
  allowed_hosts: bare.option(wordList, [], 'Further host names allowed for a server without a password; * for any.', {
    ...added,
    sample: 'proxy.example',
  }),
} as const;

/** `[supervisorctl]` */
export const ctlOptions = {
  serverurl: here.option(text, 'http://localhost:9001', 'URL of the supervisor: unix:///path or http://host:port.', {
    sample: 'unix:///tmp/supervisor.sock',
  }),
  username: bare.optional(text, 'User name for the supervisor.', { sample: 'user' }),
  password: bare.optional(text, 'Password for the supervisor.', { isSecret: true, sample: '123' }),
  prompt: bare.option(text, 'supervisor', 'Prompt of the shell.'),
  history_file: here.optional(text, 'File that keeps the history of the shell.', { sample: '~/.sc_history' }),
} as const;

type LimitRows = Record<`rlimit_${LimitedResource}`, Option<Limit | null>>;

function limitRows(): LimitRows {
  const row = (name: LimitedResource): [string, Option<Limit | null>] => [
    `rlimit_${name}`,
    proc.optional(limit, `Resource limit RLIMIT_${name.toUpperCase()} of the process.`, {
      ...added,
      sample: name === 'nofile' ? '65536' : 'unlimited',
    }),
  ];
  return Object.fromEntries(LIMITED_RESOURCES.map(row)) as LimitRows;
}

/** `[program:x]`; also `[eventlistener:x]`, `[fcgi-program:x]` and `[program-default]`. */
export const programOptions = {
  command: proc.option(text, '', 'Command line of the program, which must stay in the foreground.', {
    isRequired: true,
    sample: '/bin/cat',
  }),
  process_name: proc.option(
    text,
    '%(program_name)s',
    'Name of the process; with numprocs it must contain %(process_num).',
  ),
  numprocs: program.option(integer, 1, 'Number of processes.', live),
  numprocs_start: program.option(integer, 0, 'Number of the first process.', live),
  directory: proc.optional(text, 'Working directory of the process.', { sample: '/tmp' }),
  umask: program.optional(octal, 'File creation mask of the process.', { sample: '022' }),
  priority: here.option(integer, 999, 'Order of starts; low priorities start first and stop last.', live),
  autostart: program.option(boolean, true, 'Start together with the supervisor.', live),
  autorestart: program.option(
    autorestart,
    'unexpected',
    'Restart after an exit: true, false, or unexpected (depending on the exit code).',
    live,
  ),
  startsecs: program.option(secondsNumber, 1, 'Seconds it must stay up to count as started.', live),
  startretries: program.option(integer, 3, 'Retries of a failed start before it becomes FATAL; -1 for no limit.', live),
  exitcodes: program.option(exitCodes, [0], 'Exit codes that are expected.', { ...live, sample: '0' }),
  stopsignal: program.option(signalList, [15], 'Signal for a stop; several are sent in order, stopwaitsecs apart.', {
    ...live,
    defaultText: 'TERM',
    sample: 'TERM',
  }),
  stopwaitsecs: program.option(secondsNumber, 10, 'Seconds from the stop signal to SIGKILL.', {
    ...live,
    containerDefault: 8,
  }),
  stopasgroup: program.option(boolean, false, 'Send the stop signal to its whole process group.', live),
  killasgroup: program.option(boolean, false, 'Send SIGKILL to its whole process group.', {
    ...live,
    defaultText: 'that of stopasgroup',
  }),
  user: program.optional(owner, 'User, and optionally group, of the process.', { sample: 'app' }),
  redirect_stderr: program.option(boolean, false, 'Treat its standard error as its standard output.'),
  stdout_logfile: proc.option(
    logTargets,
    [{ kind: 'auto' }],
    'Targets of its standard output: a path, AUTO, NONE, /dev/stdout, syslog://host:514, or several with commas.',
    {
      isExpandedTwice: true,
      containerDefault: [{ kind: 'container', fd: 1 }],
      defaultText: 'AUTO',
      sample: '/tmp/x.log, /dev/stdout',
    },
  ),
  stdout_logfile_maxbytes: proc.option(byteSize, 50 * MB, 'Size at which that log is rotated; 0 for never.', {
    ...live,
    sample: '50MB',
  }),
  stdout_logfile_backups: proc.option(integer, 10, 'Number of rotated logs to keep.', live),
  stdout_capture_maxbytes: program.option(byteSize, 0, 'Maximum size of output in capture mode; 0 for no capture.'),
  stdout_events_enabled: program.option(boolean, false, 'Send its standard output as events.'),
  stdout_syslog: proc.option(boolean, false, 'Send its standard output to syslog, with its name.'),
  stderr_logfile: proc.option(logTargets, [{ kind: 'auto' }], 'Targets of its standard error; see stdout_logfile.', {
    isExpandedTwice: true,
    containerDefault: [{ kind: 'container', fd: 2 }],
    defaultText: 'AUTO',
    sample: '/tmp/x.err, /dev/stderr',
  }),
  stderr_logfile_maxbytes: proc.option(byteSize, 50 * MB, 'Size at which that log is rotated; 0 for never.', {
    ...live,
    sample: '50MB',
  }),
  stderr_logfile_backups: proc.option(integer, 10, 'Number of rotated logs to keep.', live),
  stderr_capture_maxbytes: program.option(byteSize, 0, 'Maximum size of output in capture mode; 0 for no capture.'),
  stderr_events_enabled: program.option(boolean, false, 'Send its standard error as events.'),
  stderr_syslog: proc.option(boolean, false, 'Send its standard error to syslog, with its name.'),
  environment: proc.option(environment, new Map(), 'Variables for the program.', { sample: 'A="1",B="2"' }),
  serverurl: program.optional(text, 'URL of the supervisor for the program; AUTO for the actual one.', {
    sample: 'AUTO',
  }),
  tty: program.option(
    boolean,
    false,
    'Give it a pseudo terminal for its output, so that it writes each line at once and with colours; its standard ' +
      'error is its standard output then.',
    added,
  ),
  tty_size: program.option(terminalSize, { columns: 80, rows: 24 }, 'Columns and rows of that terminal.', {
    ...added,
    defaultText: '80x24',
  }),
  log_format: proc.optional(logFormat, 'Format of its lines on the container’s streams: raw, prefix, json, logfmt.', {
    ...addedLive,
    defaultText: 'that of [supervisord]',
    sample: 'raw',
  }),
  log_prefix: proc.optional(logTemplate, 'Template of the prefix of its lines.', {
    ...addedLive,
    scope: 'raw',
    defaultText: 'that of [supervisord]',
    sample: '"%(process_name)s | "',
  }),
  log_timestamp: proc.optional(logTimestamp, 'Time before each line in the format prefix.', {
    ...addedLive,
    defaultText: 'that of [supervisord]',
    sample: 'iso8601',
  }),
  log_json_lines: proc.optional(logJsonLines, 'Treatment of lines that are JSON objects, in the format json.', {
    ...addedLive,
    defaultText: 'that of [supervisord]',
    sample: 'pass',
  }),
  log_partial_after: proc.optional(duration, 'Maximum delay of an incomplete line.', {
    ...addedLive,
    defaultText: 'that of [supervisord]',
    sample: '1s',
  }),
  log_multiline: proc.optional(linePattern, MULTILINE, {
    ...addedLive,
    defaultText: 'that of [supervisord]',
    sample: '^\\d{4}-',
  }),
  rotate_interval: proc.optional(
    rotateInterval,
    'Rotate its logs also by time: hourly, daily, weekly, or a duration; 0 for never.',
    { ...addedLive, defaultText: 'that of [supervisord]', sample: 'daily' },
  ),
  stdout_logfile_mode: proc.optional(fileMode, 'Mode of the log files of its standard output.', {
    ...addedLive,
    defaultText: '0666 without the umask; AUTO has 0600',
    sample: '0640',
  }),
  stdout_logfile_owner: proc.optional(owner, 'User, and optionally group, that these files belong to.', {
    ...addedLive,
    defaultText: 'the user of the supervisor',
    sample: 'root:root',
  }),
  stderr_logfile_mode: proc.optional(fileMode, 'Mode of the log files of its standard error.', {
    ...addedLive,
    defaultText: '0666 without the umask; AUTO has 0600',
    sample: '0640',
  }),
  stderr_logfile_owner: proc.optional(owner, 'User, and optionally group, that these files belong to.', {
    ...addedLive,
    defaultText: 'the user of the supervisor',
    sample: 'root:root',
  }),
  logfile_mkdir: proc.optional(boolean, 'Make missing directories of its log files, with the mode 0755.', {
    ...addedLive,
    defaultText: 'that of [supervisord]',
    sample: 'true',
  }),
  compress: proc.optional(boolean, 'Compress its rotated logs.', {
    ...addedLive,
    defaultText: 'that of [supervisord]',
    sample: 'true',
  }),
  tail_bytes: proc.optional(tailSize, 'Latest output of each of its streams that is kept in memory; 0 for none.', {
    ...addedLive,
    defaultText: 'that of [supervisord]',
    sample: '1MB',
  }),
  exit_on_failure: proc.option(boolean, false, 'Shut down with its exit code when it fails for good.', addedLive),
  exit_on_end: proc.option(boolean, false, 'Shut down with its exit code when it ends for good.', addedLive),
  success_exit_codes: proc.option(exitCodes, [], 'Its exit codes that become 0 when it shuts down the supervisor.', {
    ...addedLive,
    sample: '143',
  }),
  oneshot: proc.option(boolean, false, 'Run once, until it exits as expected.', addedLive),
  restartpause: proc.option(duration, 0, 'Pause before any restart.', addedLive),
  maxbackoff: proc.optional(duration, 'Maximum pause between failed starts.', { ...addedLive, sample: '60s' }),
  backoff_factor: proc.option(numberFrom(1), 1, 'Factor above 1 for the pause after each failed start.', addedLive),
  max_restarts: proc.optional(
    integerBetween(0, Infinity),
    'Maximum number of restarts within max_restarts_window before it becomes FATAL.',
    { ...addedLive, sample: '5' },
  ),
  max_restarts_window: proc.option(duration, 60, 'Period of time for max_restarts.', addedLive),
  kill_orphans: proc.option(
    choice('never', 'stop', 'always', 'cgroup'),
    'never',
    'Stop the rest of its process group after its exit: never, after a stop, or always; cgroup: always, and also ' +
      'processes that have left the group.',
    { ...addedLive, defaultText: 'stop with stopasgroup or killasgroup, else never' },
  ),
  depends_on: proc.option(
    dependencyList,
    [],
    'Programs that must be started, ready, healthy, completed (exited as expected) or exited (with any exit code) ' +
      'before it starts; with :restart, it is restarted after each new run of the other.',
    { ...addedLive, sample: 'db:healthy:restart' },
  ),
  dependent_startup: proc.option(boolean, false, 'Start it when dependent_startup_wait_for is fulfilled.', addedLive),
  dependent_startup_wait_for: proc.option(
    startupList,
    [],
    'Dependencies in the form of the plug-in: running, exited (with any exit code), fatal, backoff, stopped; with ' +
      'commas, one of several.',
    { ...addedLive, sample: 'db:running' },
  ),
  dependent_startup_inherit_priority: proc.option(
    boolean,
    false,
    'Ignored, since dependencies always start first.',
    addedLive,
  ),
  healthcheck: proc.optional(
    probe,
    'Health check: a URL (a status below 400 is healthy), tcp://host:port, unix:///path, or a command (exit code 0 ' +
      'is healthy), run as its user.',
    { ...addedLive, sample: 'http://localhost:8080/health' },
  ),
  healthcheck_expect: proc.optional(statusRanges, 'Statuses of HTTP that are healthy; without this, those below 400.', {
    ...addedLive,
    sample: '200-299,401',
  }),
  healthcheck_body: proc.optional(text, 'Text that the answer over HTTP must contain, in its first 64 KB.', {
    ...addedLive,
    sample: '"status":"ok"',
  }),
  healthcheck_interval: proc.option(checkDuration, 30, 'Time between two checks.', addedLive),
  healthcheck_timeout: proc.option(checkDuration, 30, 'Maximum duration of a check before it fails.', addedLive),
  healthcheck_retries: proc.option(
    integerBetween(1, Infinity),
    3,
    'Number of consecutive failures that make it unhealthy.',
    addedLive,
  ),
  healthcheck_success_threshold: proc.option(
    integerBetween(1, Infinity),
    1,
    'Number of consecutive passed checks that make it healthy.',
    addedLive,
  ),
  healthcheck_start_period: proc.option(
    duration,
    0,
    'Time after its start in which failures do not count; a passed check ends this time.',
    addedLive,
  ),
  healthcheck_start_interval: proc.option(
    checkDuration,
    5,
    'Time between two checks until the first one passes, if shorter than healthcheck_interval.',
    addedLive,
  ),
  healthcheck_action: proc.option(
    choice('none', 'restart', 'exit'),
    'none',
    'Action when it becomes unhealthy: restart it, or shut down with exit code 1.',
    addedLive,
  ),
  notification_fd: proc.optional(
    integerBetween(3, 1023),
    'Descriptor to which it writes a line when it is ready, as with s6.',
    { ...added, sample: '3' },
  ),
  notify: proc.optional(choice('sd'), 'sd: it reports its readiness by NOTIFY_SOCKET, as with systemd.', {
    ...added,
    sample: 'sd',
  }),
  ready_log: proc.optional(
    linePattern,
    'Regular expression without look-around and back-references: it is ready when a line of its output matches.',
    { ...added, sample: 'listening on port \\d+' },
  ),
  ready_timeout: proc.optional(
    checkDuration,
    'Maximum time from its start until it is ready; until then it is STARTING, and after that its start has failed.',
    { ...addedLive, sample: '60s' },
  ),
  watchdog_sec: proc.optional(duration, 'Maximum time between two WATCHDOG=1; needs notify=sd.', {
    ...added,
    sample: '30',
  }),
  listen: proc.option(
    listenList,
    [],
    'Sockets that the supervisor opens, keeps open over restarts, and passes to the program from descriptor 3 on, as ' +
      'systemd does (LISTEN_FDS); with ;name=TEXT, and unix sockets with ;mode=0660 and ;owner=USER:GROUP.',
    { ...added, sample: 'tcp://0.0.0.0:80, unix:///run/web.sock;mode=0660' },
  ),
  listen_lazy: proc.option(
    boolean,
    false,
    'Start it at the first connection to a socket of listen, and not with the supervisor.',
    addedLive,
  ),
  environment_file: proc.option(
    environmentFiles,
    [],
    'Files with variables, read at every start; - marks an optional file.',
    { ...added, aliases: ['env_file', 'envfile', 'envfiles'], sample: '-/etc/app.env' },
  ),
  environment_file_expand: proc.option(
    boolean,
    false,
    'Expand $NAME and ${NAME:-text} in its files; a NAME alone takes the inherited value; " #" begins a comment.',
    added,
  ),
  environment_clear: proc.option(boolean, false, 'Inherit no variables except those of environment_pass.', {
    ...added,
    sample: 'true',
  }),
  environment_pass: proc.option(variableNames, [], 'Variables that it inherits with environment_clear.', {
    ...added,
    sample: 'PATH, LC_*',
  }),
  expand_file_variables: proc.optional(
    fileVariables,
    'Variables NAME_FILE of the program that become NAME: names and patterns, or true for files in /run/secrets.',
    { ...added, defaultText: 'that of [supervisord]', sample: 'true' },
  ),
  environment_dir: proc.option(wordList, [], 'Directories with a file for each variable, read at every start.', {
    ...added,
    sample: '/run/secrets',
  }),
  user_env: proc.option(boolean, false, 'Set HOME, USER and LOGNAME of its user, unless given.', added),
  strict_user: proc.option(boolean, false, 'Fail the start if it cannot run as its user.', added),
  ...limitRows(),
  nice: proc.optional(integerBetween(-20, 19), 'Niceness of the process.', { ...added, sample: '5' }),
  oom_score_adj: proc.optional(
    integerBetween(-1000, 1000),
    'Preference of the kernel to kill it when memory runs out.',
    {
      ...added,
      sample: '-500',
    },
  ),
  max_memory: proc.optional(
    memoryLimit,
    'Limit of resident memory for its process tree, checked every 10 seconds; it is restarted above the limit; ' +
      'pages that processes share count once, where the kernel tells.',
    { ...addedLive, sample: '300MB' },
  ),
  cpu_max: proc.optional(processors, 'Processors that its processes may use, by a control group.', {
    ...addedLive,
    sample: '1.5',
  }),
  memory_high: proc.optional(memoryLimit, 'Memory above which the kernel slows its processes down.', {
    ...addedLive,
    sample: '200MB',
  }),
  memory_max: proc.optional(memoryLimit, 'Memory above which the kernel kills one of its processes.', {
    ...addedLive,
    sample: '300MB',
  }),
  pids_max: proc.optional(integerBetween(1, Infinity), 'Most processes and threads that it may have.', {
    ...addedLive,
    sample: '100',
  }),
  io_weight: proc.optional(integerBetween(1, 10_000), 'Its share of disk bandwidth; others have 100.', {
    ...addedLive,
    sample: '50',
  }),
  no_new_privs: proc.option(
    boolean,
    false,
    'Let no program that it executes get more privileges, as by set-user-ID.',
    added,
  ),
  capabilities: proc.optional(
    capabilityRule,
    'Capabilities that it loses or keeps: drop-all for all others, +name to keep or to give, -name to drop.',
    { ...added, sample: 'drop-all,+net_bind_service' },
  ),
  pdeathsig: proc.optional(signal, 'Signal for it when the supervisor dies.', { ...added, sample: 'KILL' }),
  restart_on_change: proc.option(
    pathPatterns,
    [],
    'Files that restart it when they change: absolute paths, with *, ? and ** for any directories.',
    { ...addedLive, sample: '/app/**/*.py, /etc/web.conf' },
  ),
  signal_on_change: proc.optional(signal, 'Signal for it in place of that restart; needs restart_on_change.', {
    ...addedLive,
    sample: 'HUP',
  }),
  cron: proc.optional(
    cron,
    'Schedule of its starts: five fields, six with seconds first, or a word such as @daily; it starts with the ' +
      'supervisor only if autostart=true is set.',
    { ...addedLive, sample: '*/5 * * * *' },
  ),
  tz: proc.optional(timeZone, 'Time zone of that schedule.', {
    ...addedLive,
    defaultText: 'TZ of the supervisor',
    sample: 'Europe/Berlin',
  }),
  pre_start_command: proc.optional(hookCommand, 'Command that must succeed before it is started.', {
    ...addedLive,
    sample: '/bin/prepare',
  }),
  pre_start_timeout: proc.option(duration, 60, 'Maximum duration of pre_start_command.', addedLive),
  stop_command: proc.optional(
    hookCommand,
    'Command that stops it in place of the first signal, with SUPERVISOR_PID; the signals of stopsignal follow if ' +
      'the command fails, exceeds stop_timeout, or does not end the program.',
    { ...addedLive, sample: '/bin/stop' },
  ),
  stop_timeout: proc.optional(
    duration,
    'Maximum duration of stop_command before the signals of stopsignal, with SIGKILL stopwaitsecs later.',
    { ...addedLive, defaultText: 'stopwaitsecs', sample: '10' },
  ),
  reload_signal: proc.optional(signal, 'Signal by which `onevisor reload-program` makes it read its configuration.', {
    ...addedLive,
    sample: 'HUP',
  }),
  reload_command: proc.optional(
    hookCommand,
    'Command for that in place of a signal, with SUPERVISOR_PID, as its user.',
    { ...addedLive, sample: '/bin/reload' },
  ),
  reload_timeout: proc.option(duration, 60, 'Maximum duration of reload_command.', addedLive),
  post_stop_command: proc.optional(hookCommand, 'Command to run after each exit; it has SUPERVISOR_PID.', {
    ...addedLive,
    sample: '/bin/tidy',
  }),
  post_stop_timeout: proc.option(duration, 60, 'Maximum duration of post_stop_command.', addedLive),
} as const;

/** Further options of `[eventlistener:x]`. */
export const listenerOptions = {
  events: here.option(nameList, [], 'Names of its events, separated by commas.', {
    isRequired: true,
    sample: 'PROCESS_STATE',
  }),
  buffer_size: here.option(integerBetween(1, Infinity), 10, 'Maximum number of queued events.'),
  result_handler: here.option(text, 'supervisor.dispatchers:default_handler', 'Handler of its results.'),
} as const;

/** Further options of `[fcgi-program:x]`. */
export const fcgiOptions = {
  socket: proc.option(fcgiSocket, { kind: 'unix', path: '' }, 'Socket on which its processes accept connections.', {
    isRequired: true,
    sample: 'unix:///run/app.sock',
  }),
  socket_backlog: here.optional(integerBetween(1, 65_535), 'Length of the queue of the socket.', { sample: '1024' }),
  socket_owner: here.optional(owner, 'Owner of the socket.', { sample: 'app' }),
  socket_mode: here.optional(octal, 'Mode of the socket; 0700 without it.', { sample: '0700' }),
} as const;

/** `[group:x]` */
export const groupOptions = {
  programs: here.option(nameList, [], 'Names of its programs, separated by commas.', { sample: 'web,worker' }),
  priority: here.option(integer, 999, 'Order of starts; low priorities start first and stop last.'),
} as const;

/** `[notify:x]` */
export const notifyOptions = {
  events: here.option(
    alertEvents,
    [],
    'Events to tell about: fatal, exited-unexpectedly, flapping, unhealthy, healthy-again, memory-restart, gave-up, ' +
      'shutdown, and event types of Supervisor such as PROCESS_STATE_BACKOFF.',
    { ...added, isRequired: true, sample: 'fatal, flapping, unhealthy' },
  ),
  programs: here.option(wordList, ['*'], 'Programs, groups or processes whose events count; names and patterns.', {
    ...added,
    sample: '*',
  }),
  command: here.optional(
    hookCommand,
    'Command to run, with the facts as variables NOTIFY_… and as JSON on its stdin.',
    {
      ...added,
      sample: '/usr/local/bin/tell',
    },
  ),
  url: here.optional(
    alertUrl,
    'URL that gets the facts as JSON by POST; its path may be a secret and is never shown.',
    {
      ...added,
      sample: 'https://hooks.example.org/services/T0/B0',
    },
  ),
  url_file: here.optional(laterFile, 'File with that URL, read for each message.', {
    ...added,
    sample: '/run/secrets/webhook',
  }),
  template: here.optional(alertTemplate, 'JSON to send in place of all facts, with facts such as %(message)s in it.', {
    ...added,
    scope: 'raw',
    sample: '{"text": "%(message)s"}',
  }),
  headers: here.optional(headers, 'Headers of the request.', {
    ...added,
    isSecret: true,
    sample: 'X-Token="abc"',
  }),
  header_file: here.optional(laterFile, 'File with a header on each line (Name: value), read for each message.', {
    ...added,
    sample: '/run/secrets/webhook_header',
  }),
  ca_file: here.optional(
    laterFile,
    'Certificates of the authorities that https trusts, in place of those of the image.',
    {
      ...added,
      sample: '/etc/ssl/own-ca.pem',
    },
  ),
  throttle: here.option(
    duration,
    60,
    'Least time between two messages about the same event of the same process, and the period in which at most 10 ' +
      'messages and a summary are sent; 0 for no limit.',
    added,
  ),
  timeout: here.option(alertTimeout, 10, 'Maximum duration of one attempt.', added),
  retries: here.option(
    integerBetween(0, 20),
    5,
    'Further attempts after a failed one, with pauses of 1s, 2s, 4s and so on up to 60s.',
    added,
  ),
  user: here.optional(owner, 'User of the command.', {
    ...added,
    defaultText: 'that of the supervisor',
    sample: 'app',
  }),
  environment: here.optional(environment, 'Variables for the command.', {
    ...added,
    isSecret: true,
    sample: 'MAIL_TO="ops@example.org"',
  }),
  directory: here.optional(text, 'Working directory of the command.', { ...added, sample: '/tmp' }),
} as const;

/** `[api_user:x]` */
export const apiUserOptions = {
  password: bare.optional(text, 'Password; plain, or {SHA} and the hash in hexadecimal digits.', {
    ...added,
    isSecret: true,
    sample: '123',
  }),
  password_file: here.optional(laterFile, 'File with that password, read at each start and reload.', {
    ...added,
    sample: '/run/secrets/ops_password',
  }),
  role: bare.option(
    choice(...ROLES),
    'read',
    'Rights: metrics (metrics and probes), read (everything that changes nothing), or admin.',
    added,
  ),
} as const;

/** `[dashboard]` */
export const dashboardOptions = {
  history: bare.option(
    historyPeriod,
    0,
    'Period for which CPU and memory are kept, sampled every 10 seconds from the start; 0 for none, at most 1d.',
    { ...added, sample: '1h' },
  ),
  peers: here.option(
    peerList,
    [],
    'Other supervisors that the dashboard shows; with dns+http://name:port, each address of the name is one.',
    { ...added, sample: 'http://a:9001, cache=unix:///shared/b.sock, dns+http://web:9001' },
  ),
  peers_username: bare.optional(text, 'User name for these supervisors.', { ...added, sample: 'user' }),
  peers_password: bare.optional(text, 'Password for these supervisors, in plain text.', {
    ...added,
    isSecret: true,
    sample: '123',
  }),
  peers_password_file: here.optional(laterFile, 'File with that password, read again for each round of requests.', {
    ...added,
    sample: '/run/secrets/peers_password',
  }),
  peers_insecure: bare.option(boolean, false, 'Send the password also over http, which others can read.', added),
  peers_ca_file: here.optional(laterFile, 'Certificates that https to these supervisors trusts, in place of others.', {
    ...added,
    sample: '/etc/ssl/own-ca.pem',
  }),
} as const;

/** `[include]` */
export const includeOptions = {
  files: here.option(text, '', 'Files to read, separated by spaces; relative to this one, with * and ?.', {
    isRequired: true,
    sample: 'conf.d/*.conf',
  }),
} as const;

/** `[rpcinterface:x]`; its further options belong to the plug-in. */
export const rpcInterfaceOptions = {
  'supervisor.rpcinterface_factory': bare.option(text, '', 'Name of the interface.', {
    isRequired: true,
    sample: 'supervisor.rpcinterface:make_main_rpcinterface',
  }),
} as const;

/** `[ctlplugin:x]`; its further options belong to the plug-in. */
export const ctlPluginOptions = {
  'supervisor.ctl_factory': bare.option(text, '', 'Name of the plug-in.', {
    isRequired: true,
    sample: 'package.module:factory',
  }),
} as const;

export type SupervisordOptions = Values<typeof supervisordOptions>;
export type UnixServerOptions = Values<typeof unixServerOptions>;
export type InetServerOptions = Values<typeof inetServerOptions>;
export type CtlOptions = Values<typeof ctlOptions>;
export type ProgramOptions = Values<typeof programOptions>;
export type EventListenerOptions = Values<typeof listenerOptions>;
export type FcgiProgramOptions = Values<typeof fcgiOptions>;
export type GroupOptions = Values<typeof groupOptions>;
export type NotifyOptions = Values<typeof notifyOptions>;
export type ApiUserOptions = Values<typeof apiUserOptions>;
export type DashboardOptions = Values<typeof dashboardOptions>;

/** A kind of section: its title in the reference, and the tables of its options. */
export interface SectionKind {
  readonly title: string;
  /** Beginning of the section name; ends with `:` if a name follows. */
  readonly start: string;
  readonly tables: readonly Table[];
  /** True if the section may have options that are not in the table. */
  readonly isOpen: boolean;
}

const kind = (title: string, start: string, tables: readonly Table[], isOpen = false): SectionKind => ({
  title,
  start,
  tables,
  isOpen,
});

/** Every kind of section, in the order of the reference and the sample. */
export const sectionKinds: readonly SectionKind[] = [
  kind('unix_http_server', 'unix_http_server', [unixServerOptions]),
  kind('inet_http_server', 'inet_http_server', [inetServerOptions]),
  kind('supervisord', 'supervisord', [supervisordOptions]),
  kind('rpcinterface:x', 'rpcinterface:', [rpcInterfaceOptions], true),
  kind('supervisorctl', 'supervisorctl', [ctlOptions]),
  kind('ctlplugin:x', 'ctlplugin:', [ctlPluginOptions], true),
  kind('program-default', 'program-default', [programOptions]),
  kind('program:x', 'program:', [programOptions]),
  kind('eventlistener:x', 'eventlistener:', [programOptions, listenerOptions]),
  kind('fcgi-program:x', 'fcgi-program:', [programOptions, fcgiOptions]),
  kind('group:x', 'group:', [groupOptions]),
  kind('notify:x', 'notify:', [notifyOptions]),
  kind('api_user:x', 'api_user:', [apiUserOptions]),
  kind('dashboard', 'dashboard', [dashboardOptions]),
  kind('include', 'include', [includeOptions]),
];
