/**
 * Calls for the comparison of the XML-RPC interfaces, step by step, and the intended differences of our answers. Data
 * only.
 */
import { createMethodTable } from '../../src/rpc/method-table.ts';
import { ownMethods } from '../../src/rpc/own-methods.ts';

/** One call, or a wait for a state or for the end of a log. */
export interface Step {
  readonly call: readonly unknown[];
  /**
   * True if the results are in the order in which the processes ended or came up, which does not depend on the
   * supervisor.
   */
  readonly isUnordered?: boolean;
  /** Our answer, with the reason of the difference. If the answers are equal, the step fails. */
  readonly differs?: { readonly reason: string; readonly ours: unknown };
}

/** Steps on one supervisor, which is started for them. */
export interface Scenario {
  readonly title: string;
  readonly config: string;
  readonly steps: readonly Step[];
}

const call = (method: string, ...args: readonly unknown[]): Step => ({ call: [`supervisor.${method}`, ...args] });
const system = (method: string, ...args: readonly unknown[]): Step => ({ call: [`system.${method}`, ...args] });
const until = (name: string, state: string): Step => ({ call: ['until', name, state] });
const info = (name: string): Step => call('getProcessInfo', name);
const untilLog = (name: string, text: string): Step => ({ call: ['untilLog', name, text] });
const unordered = (step: Step): Step => ({ ...step, isUnordered: true });
const differing = (step: Step, reason: string, ours: unknown): Step => ({ ...step, differs: { reason, ours } });

/**
 * Exits when its supervisor sleeps in poll. supervisord looks for ended programs within a start, and an earlier exit
 * may or may not be found.
 */
const ENDS_AT_ONCE = `/bin/sh -c 'until grep -q "^State:.S" /proc/$PPID/status; do :; done; exit 3'`;

const WRONG_TYPE = 'a parameter of the wrong type is a fault, where Supervisor ends in an exception';
const incorrect = { fault: [2, 'INCORRECT_PARAMETERS'] };

const lifecycle: Scenario = {
  title: 'each state',
  config: `
[program:off]
command=/bin/sleep 1000
autostart=false
[program:web]
command=/bin/sleep 1000
autostart=false
[program:stuck]
command=/bin/sh -c 'trap "" TERM; echo ready; while :; do sleep 0.1; done'
stopwaitsecs=3
autostart=false
[program:quick]
command=${ENDS_AT_ONCE}
startretries=0
startsecs=1000
autostart=false
[program:backoff]
command=/bin/sh -c 'sleep 0.5; exit 1'
startretries=30
startsecs=1000
autostart=false
[program:done]
command=/bin/sh -c 'read line; exit 2'
autorestart=false
autostart=false
[program:fine]
command=/bin/sh -c 'read line; exit 0'
startsecs=0
autorestart=false
autostart=false
[program:noexec]
command=/nonexistent/x
autostart=false
[program:nopath]
command=nonexistent-program
autostart=false
[program:notexec]
command=/etc/passwd
autostart=false
[program:bad]
command=/bin/sh -c "
autostart=false
`,
  steps: [
    info('off'),
    call('stopProcess', 'off'),
    call('signalProcess', 'off', 'HUP'),
    call('startProcess', 'web'),
    info('web'),
    call('startProcess', 'web'),
    call('startProcess', 'web', false),
    call('signalProcess', 'web', 'CONT'),
    call('stopProcess', 'web'),
    info('web'),
    call('stopProcess', 'web'),
    call('startProcess', 'web', false),
    call('startProcess', 'web'),
    until('web', 'RUNNING'),
    call('stopProcess', 'web', false),
    until('web', 'STOPPED'),
    call('startProcess', 'quick'),
    until('quick', 'FATAL'),
    call('stopProcess', 'quick'),
    call('signalProcess', 'quick', 'HUP'),
    call('startProcess', 'quick', false),
    until('quick', 'FATAL'),
    // The second time the restart is due in 2 seconds, which is enough for the following steps.
    call('startProcess', 'backoff'),
    until('backoff', 'STARTING'),
    until('backoff', 'BACKOFF'),
    call('startProcess', 'backoff'),
    call('signalProcess', 'backoff', 'HUP'),
    call('stopProcess', 'backoff'),
    info('backoff'),
    call('stopProcess', 'backoff'),
    // These exit on request. The effect of an immediate exit on a start depends on timing in supervisord.
    call('startProcess', 'done'),
    info('done'),
    call('sendProcessStdin', 'done', '\n'),
    until('done', 'EXITED'),
    call('stopProcess', 'done'),
    call('startProcess', 'done', false),
    info('done'),
    until('done', 'RUNNING'),
    call('sendProcessStdin', 'done', '\n'),
    until('done', 'EXITED'),
    call('startProcess', 'fine'),
    call('sendProcessStdin', 'fine', '\n'),
    until('fine', 'EXITED'),
    call('startProcess', 'noexec'),
    info('noexec'),
    call('startProcess', 'nopath'),
    call('startProcess', 'notexec'),
    call('startProcess', 'bad'),
    info('bad'),
    call('startProcess', 'stuck'),
    call('stopProcess', 'stuck', false),
    info('stuck'),
    call('startProcess', 'stuck'),
    call('startProcess', 'stuck', false),
    call('signalProcess', 'stuck', 'CONT'),
    call('sendProcessStdin', 'stuck', 'x'),
    call('startProcessGroup', 'stuck'),
    call('stopProcessGroup', 'stuck'),
    call('removeProcessGroup', 'stuck'),
    until('stuck', 'STOPPED'),
    call('startProcess', 'stuck'),
    call('stopProcess', 'stuck'),
    info('stuck'),
    call('startProcess', 'stuck'),
    call('stopProcess', 'stuck', false),
    differing(call('stopProcess', 'stuck'), 'a second stop is SIGKILL', { value: true }),
    differing(info('stuck'), 'it was killed', { statename: 'STOPPED' }),
    until('stuck', 'STOPPED'),
  ],
};

const groups: Scenario = {
  title: 'names and groups',
  config: `
[program:run]
command=/bin/sleep 1000
autostart=false
[program:cat]
command=/bin/cat
autostart=false
[group:g]
programs=cat,run
priority=5
[program:many]
command=/bin/sleep 1000
numprocs=2
process_name=%(program_name)s_%(process_num)d
autostart=false
[program:late]
command=/bin/sleep 1000
startsecs=2
autostart=false
[program:alone]
command=/bin/sleep 1000
autostart=false
[program:noexec]
command=/nonexistent/x
autostart=false
[program:quick]
command=${ENDS_AT_ONCE}
startretries=0
startsecs=1000
autostart=false
`,
  steps: [
    ...['nope', 'nope:x', 'nope:*', 'g', 'run', 'g:nope', '*', ':run', 'g:run:x', '', ' alone'].flatMap((name) => [
      call('startProcess', name),
      call('stopProcess', name),
      call('signalProcess', name, 'XX'),
      info(name),
      call('clearProcessLogs', name),
    ]),
    unordered(call('startProcess', 'g:*')),
    call('startProcess', 'g:'),
    call('startProcess', 'g:run'),
    info('g:run'),
    info('g:*'),
    call('signalProcess', 'g:*', 'CONT'),
    call('signalProcess', 'g:*', 'XX'),
    unordered(call('stopProcess', 'g:*')),
    unordered(call('stopProcess', 'g:*')),
    call('startProcessGroup', 'many'),
    call('startProcessGroup', 'many'),
    call('signalProcessGroup', 'many', 'CONT'),
    call('stopProcessGroup', 'many', false),
    until('many:many_0', 'STOPPED'),
    until('many:many_1', 'STOPPED'),
    ...['startProcessGroup', 'stopProcessGroup', 'addProcessGroup', 'removeProcessGroup'].map((method) =>
      call(method, 'nope'),
    ),
    call('signalProcessGroup', 'nope', 'HUP'),
    unordered(call('startAllProcesses')),
    call('signalAllProcesses', 'CONT'),
    call('signalAllProcesses', 'XX'),
    call('getAllProcessInfo'),
    unordered(call('stopAllProcesses')),
    unordered(call('stopAllProcesses')),
    call('startAllProcesses', false),
    until('late', 'RUNNING'),
    call('stopAllProcesses', false),
    until('late', 'STOPPED'),
    until('alone', 'STOPPED'),
    ...['NOPE', '0', 0, 18, 'sigcont', ' CONT ', '99', 'SIGCONT'].flatMap((signal) => [
      call('signalProcess', 'alone', signal),
    ]),
    call('startProcess', 'alone'),
    ...['NOPE', '0', 0, 18, 1.5 + 16.5, 'sigcont', ' CONT ', '99', 'SIGCONT'].flatMap((signal) => [
      call('signalProcess', 'alone', signal),
    ]),
    call('addProcessGroup', 'alone'),
    call('removeProcessGroup', 'alone'),
    call('stopProcess', 'alone'),
    call('removeProcessGroup', 'alone'),
    info('alone'),
    call('startProcess', 'alone'),
    call('reloadConfig'),
    call('addProcessGroup', 'alone'),
    info('alone'),
    call('addProcessGroup', 'g:run'),
    call('reloadConfig'),
  ],
};

const logs: Scenario = {
  title: 'logs, standard input, configuration',
  config: `
[program:run]
command=/bin/sh -c 'echo hello; echo err >&2; exec sleep 1000'
stdout_logfile=%(here)s/run.log
stderr_logfile=%(here)s/run.err
directory=/tmp
stopsignal=HUP
exitcodes=0,3
[program:merged]
command=/bin/sh -c 'echo out; echo err >&2; exec sleep 1000'
redirect_stderr=true
stdout_logfile=%(here)s/merged.log
stdout_logfile_maxbytes=1KB
[program:bytes]
command=/bin/sh -c 'printf "a\\001\\377<&>\\r\\n"; exec sleep 1000'
stdout_logfile=%(here)s/bytes.log
stderr_logfile=NONE
[program:silent]
command=/bin/sleep 1000
stdout_logfile=NONE
stderr_logfile=NONE
[program:cat]
command=/bin/cat
stdout_logfile=%(here)s/cat.log
stderr_logfile=%(here)s/cat.err
[program:off]
command=/bin/cat
autostart=false
stdout_logfile=%(here)s/off.log
stderr_logfile=%(here)s/off.err
`,
  steps: [
    ...['run', 'merged', 'bytes', 'silent', 'cat'].map((name) => until(name, 'RUNNING')),
    ...(
      [
        [0, 0],
        [-4, 0],
        [-4, 1],
        [0, -1],
        [2, 3],
        [100, 0],
        [100, 5],
        [-100, 0],
        ['0', '0'],
        [1.7, '2'],
        [true, 2],
      ] as const
    ).flatMap((range) => [
      call('readProcessStdoutLog', 'run', ...range),
      call('readProcessStderrLog', 'run', ...range),
    ]),
    ...(
      [
        [0, 100],
        [0, 2],
        [6, 10],
        [5, 10],
        [100, 10],
        [-2, 10],
        [0, -1],
        [0, 0],
        ['0', '10'],
      ] as const
    ).flatMap((range) => [
      call('tailProcessStdoutLog', 'run', ...range),
      call('tailProcessStderrLog', 'run', ...range),
    ]),
    call('readProcessLog', 'run', 0, 0),
    call('tailProcessLog', 'run', 0, 10),
    call('readProcessStdoutLog', 'merged', 0, 0),
    call('readProcessStderrLog', 'merged', 0, 0),
    call('tailProcessStderrLog', 'merged', 0, 10),
    call('readProcessStdoutLog', 'nope', 0, 0),
    call('tailProcessStdoutLog', 'nope', 0, 0),
    call('readProcessStdoutLog', 'run', 0),
    call('readProcessStdoutLog', 'run', 0, 0, 0),
    call('readProcessStdoutLog', 'bytes', 100, 0),
    differing(call('readProcessStdoutLog', 'bytes', 0, 0), 'any bytes can be read', { value: 'a\ufffd\ufffd<&>\r\n' }),
    differing(call('tailProcessStdoutLog', 'bytes', 0, 100), 'any bytes can be read', {
      value: ['a\ufffd\ufffd<&>\r\n', 8, false],
    }),
    differing(
      call('readProcessStdoutLog', 'silent', 0, 0),
      'the last output is kept in memory where there is no file',
      { value: '' },
    ),
    call('tailProcessStdoutLog', 'silent', 0, 100),
    differing(call('readProcessStdoutLog', 'run', 'x', 0), WRONG_TYPE, incorrect),
    call('sendProcessStdin', 'cat', 'h\u00e9llo\n'),
    call('sendProcessStdin', 'cat', { base64: 'YWJjCg==' }),
    call('sendProcessStdin', 'cat', ''),
    untilLog('cat', 'abc\n'),
    call('sendProcessStdin', 'cat', 5),
    call('sendProcessStdin', 'nope', 'x'),
    call('sendProcessStdin', 'off', 'x'),
    call('sendRemoteCommEvent', 'a', 'b'),
    call('sendRemoteCommEvent', 1, 2),
    call('sendRemoteCommEvent', 'a'),
    call('stopProcess', 'cat'),
    call('readProcessStdoutLog', 'cat', 0, 0),
    call('clearProcessLogs', 'run'),
    call('readProcessStdoutLog', 'run', 0, 0),
    call('tailProcessStderrLog', 'run', 0, 10),
    call('clearProcessLog', 'merged'),
    call('readProcessStdoutLog', 'merged', 0, 0),
    call('clearProcessLogs', 'silent'),
    call('clearProcessLogs', 'nope'),
    call('clearAllProcessLogs'),
    differing(call('readProcessStdoutLog', 'cat', 0, 0), 'the logs of a process that is not running are cleared too', {
      value: '',
    }),
    call('clearLog'),
    call('readLog', 0, 0),
    call('readLog', -10, 1),
    call('readMainLog', 0, -1),
    call('readLog', 1),
    call('getAllConfigInfo'),
    call('getAllProcessInfo'),
  ],
};

const calls: Scenario = {
  title: 'calls, faults, the end',
  config: `
[program:web]
command=/bin/sleep 1000
autostart=false
[program:stuck]
command=/bin/sh -c 'trap "" TERM; while :; do sleep 0.1; done'
stopwaitsecs=5
autostart=false
`,
  steps: [
    differing(system('listMethods'), 'update without needless restarts, and the plan of one, have methods of our own', {
      value: [...createMethodTable(ownMethods).keys()].toSorted(),
    }),
    system('methodSignature', 'x.y'),
    system('methodHelp', 'x.y'),
    system('methodSignature', 'supervisor.startProcess'),
    system('methodSignature', 'system.multicall'),
    system('methodSignature', 5),
    ...['getAPIVersion', 'getVersion', 'getIdentification', 'getState'].map((method) => call(method)),
    differing(call('getSupervisorVersion'), 'the installed one is older', { value: '4.3.0' }),
    ...[
      'system.__class__',
      'system.listMethods.__call__',
      'supervisor._update',
      'supervisor.supervisord',
      'supervisor.__init__',
      'nope.x',
      'x',
      'supervisor.',
      'supervisor',
      'a.b.c',
    ].map((method): Step => ({ call: [method] })),
    call('startProcess'),
    call('startProcess', 'web', true, 1),
    call('getState', 1),
    call('readLog'),
    call('signalProcess', 'web'),
    call('addProcessGroup', 5),
    system('listMethods', 1),
    system('methodHelp'),
    system('multicall'),
    system('multicall', 5),
    system('multicall', {}),
    ...[[5], [[]]].flatMap(([name]) =>
      ['startProcess', 'stopProcess', 'getProcessInfo'].map((method) =>
        differing(call(method, name), WRONG_TYPE, incorrect),
      ),
    ),
    differing(system('multicall', 'abc'), WRONG_TYPE, incorrect),
    system('multicall', [
      { methodName: 'supervisor.getState' },
      { methodName: 'supervisor.getProcessInfo', params: ['nope'] },
      { methodName: 'system.multicall', params: [[]] },
      { params: [] },
      { methodName: 'x.y' },
      { methodName: 'supervisor.getState', params: [1] },
      { methodName: 'supervisor.startProcess', params: ['web'] },
      { methodName: 'supervisor.stopProcessGroup', params: ['web'] },
      { methodName: 'supervisor.startProcessGroup', params: ['web'] },
      { methodName: 'supervisor.getAPIVersion', params: {} },
      { methodName: 'supervisor.getState', params: 5 },
    ]),
    system('multicall', []),
    call('stopProcess', 'web', ''),
    until('web', 'STOPPED'),
    call('startProcess', 'web', 'yes'),
    call('startProcess', 'stuck'),
    call('shutdown'),
    ...['getState', 'getAllProcessInfo', 'shutdown', 'restart', 'getPID', 'getAPIVersion', 'nope', 'startProcess'].map(
      (method) => call(method),
    ),
    call('getProcessInfo', 5),
    system('methodSignature', 'supervisor.getState'),
    system('multicall', [{ methodName: 'supervisor.getPID' }]),
  ],
};

/** All scenarios. */
export const scenarios: readonly Scenario[] = [lifecycle, groups, logs, calls];
