/** The schemas of the answers about processes: causes, ends, status, runs, description. */
import { START_WAITS } from '../core/start-wait.ts';
import { ProcessState, type ProcessStateName } from '../core/states.ts';
import {
  constant,
  dictionary,
  either,
  integer,
  list,
  maybe,
  named,
  number,
  object,
  oneOf,
  recursive,
  text,
  truth,
} from './schema.ts';
import type * as Api from './types.ts';

export const processState = oneOf(Object.keys(ProcessState) as ProcessStateName[]);
export const health = oneOf(['starting', 'healthy', 'unhealthy']);
const stream = oneOf(['stdout', 'stderr']);
export const hold = oneOf(['waiting', 'stuck', 'connection']);
export const names = list(text());
export const wallMs = integer({ help: 'Milliseconds since 1970' });
const seconds = integer({ help: 'Seconds since 1970; 0 for never' });

export const causeSchema = named(
  'Cause',
  object<Api.CauseAnswer>({
    kind: oneOf([
      'boot',
      'request',
      'signal',
      'schedule',
      'connection',
      'dependency',
      'health',
      'memory',
      'watchdog',
      'file',
      'not_ready',
      'policy',
      'protocol',
      'shutdown',
    ]),
    text: text({ help: 'For people' }),
    method: maybe(text()),
    door: maybe(text({ help: 'unix, tcp, page, plugin' })),
    peer: maybe(text()),
    user: maybe(text()),
    signal: maybe(text()),
    sender: maybe(integer({ help: 'Process id' })),
    sent_as: maybe(text()),
    names: maybe(names),
    request: maybe(recursive<Api.CauseAnswer>('Cause')),
    reason: maybe(text()),
    bytes: maybe(number()),
    limit: maybe(number()),
    limit_ms: maybe(number()),
    path: maybe(text()),
    others: maybe(integer()),
    rule: maybe(text()),
    goal: maybe(text()),
    address: maybe(text()),
  }),
);

const endMembers = {
  outcome: oneOf(['exited', 'signaled', 'out_of_memory', 'not_executed']),
  exit_code: maybe(integer()),
  expected: maybe(truth()),
  exit_signal: maybe(text()),
  core: maybe(truth()),
  reason: maybe(text()),
  why: text({ help: 'As in onevisor_process_exits_total{reason}' }),
  planned: truth(),
  how: text(),
  text: text(),
  cause: maybe(causeSchema),
  sent_signal: maybe(
    object<NonNullable<Api.EndAnswer['sent_signal']>>({ signal: text(), before_ms: integer(), cause: causeSchema }),
  ),
};
const lastEndMembers = { ...endMembers, at: wallMs, lasted_ms: integer() };

export const endSchema = named('End', object<Api.EndAnswer>(endMembers));
export const lastEndSchema = named('LastEnd', object<Api.LastEndAnswer>(lastEndMembers));
export const runEndSchema = named('RunEnd', object<Api.RunEndAnswer>({ ...lastEndMembers, seq: integer() }));

export const usageSchema = named(
  'Usage',
  object<Api.UsageAnswer>({
    memory: integer({ help: 'Resident bytes of the process tree' }),
    cpu_ms: number({ help: 'Processor time in milliseconds' }),
    cpu_percent: maybe(number({ help: 'Share of one processor' })),
    processes: integer(),
  }),
);

const conditions = names;
const waitsFor = object<Api.WaitsForAnswer>({ name: text(), conditions });
const blockedBy = object<Api.BlockedByAnswer>({
  name: text(),
  conditions,
  blocks: names,
  state: maybe(processState),
  health: maybe(constant('unhealthy')),
  exit_code: maybe(integer()),
  exit_signal: maybe(integer()),
});

const dependencyMembers = { name: text(), conditions, restart: maybe(constant(true)) };

const statusMembers = {
  name: text(),
  group: text(),
  start: seconds,
  stop: seconds,
  now: seconds,
  state: integer({ help: 'Number of the state, as in Supervisor' }),
  statename: processState,
  spawnerr: text(),
  exitstatus: integer(),
  logfile: text(),
  stdout_logfile: text(),
  stderr_logfile: text(),
  pid: integer({ help: '0 for none' }),
  description: text({ help: 'The text of supervisorctl status' }),
  health: maybe(health),
  health_reason: maybe(text()),
  ready: maybe(truth('Only for programs that report their readiness')),
  hold: maybe(hold),
  waits_for: maybe(list(waitsFor)),
  blocked_by: maybe(list(blockedBy)),
  listens_at: maybe(names),
  start_waits_for: maybe(oneOf(START_WAITS, 'Step that the start under way waits for')),
  failure: maybe(oneOf(['not_executed', 'exited_too_quickly', 'bad_exit', 'not_ready', 'restarted_too_often'])),
  purpose: maybe(oneOf(['oneshot', 'scheduled'], 'Missing for a service')),
  restarting: maybe(constant(true)),
  exit_code: maybe(integer()),
  exit_signal: maybe(integer()),
  oom_kills: maybe(integer()),
  next_run: maybe(seconds),
  out_of_memory: maybe(seconds),
  status_text: maybe(text()),
  restarts: integer(),
  failed_starts: integer(),
  unexpected_restarts: integer({ help: 'Within flapping_window' }),
  flapping: truth(),
  autostart: truth(),
  has_healthcheck: maybe(constant(true)),
  start_cause: maybe(causeSchema),
  stop_cause: maybe(causeSchema),
  last_end: maybe(lastEndSchema),
  last_line: maybe(text({ help: 'Last line of the latest run that has ended' })),
  last_line_stream: maybe(stream),
  problem: maybe(text({ help: 'Reason why it is not ready' })),
  not_alive: maybe(text({ help: 'Reason why it is not alive' })),
  depends_on: maybe(list(object<Api.DependencyAnswer>(dependencyMembers))),
  scaled_from: maybe(integer()),
  usage: maybe(usageSchema),
};

export const statusSchema = named('Status', object<Api.StatusAnswer>(statusMembers));

export const processesSchema = named(
  'Processes',
  object<Api.ProcessesAnswer>({ epoch: text(), seq: integer(), processes: list(statusSchema) }),
);

export const runSchema = named(
  'Run',
  object<Api.RunAnswer>({
    run: integer(),
    pid: maybe(integer()),
    start_seq: integer(),
    started: wallMs,
    start_cause: causeSchema,
    end: maybe(runEndSchema),
  }),
);

export const runsSchema = named('Runs', object<Api.RunsAnswer>({ runs: list(runSchema) }));

type Description = Api.DescriptionAnswer;
const logFile = object<Api.LogFileAnswer>({ mode: maybe(text()), owner: maybe(text()) });

export const descriptionSchema = named(
  'Description',
  object<Description>({
    ...statusMembers,
    configured: object<Description['configured']>({
      file: text(),
      line: integer(),
      command: text(),
      user: maybe(text()),
      directory: maybe(text()),
      listen: maybe(text()),
      listen_lazy: maybe(constant(true)),
      socket: maybe(text()),
    }),
    inherited: object<Description['inherited']>({ uid: maybe(integer()), directory: maybe(text()) }),
    policy: object<Description['policy']>({
      autorestart: text(),
      startsecs: number(),
      startretries: integer(),
      exitcodes: list(integer()),
      exit_on_failure: maybe(constant(true)),
      exit_on_end: maybe(constant(true)),
      cron: maybe(text()),
      tz: maybe(text()),
      restart_on_change: maybe(names),
      signal_on_change: maybe(text()),
    }),
    readiness: maybe(
      object<NonNullable<Description['readiness']>>({
        ready_log: maybe(text()),
        notification_fd: maybe(integer()),
        notify: maybe(text()),
        ready_timeout: maybe(number()),
      }),
    ),
    healthcheck: maybe(
      object<NonNullable<Description['healthcheck']>>({
        check: text(),
        interval: number(),
        timeout: number(),
        retries: integer(),
        action: text(),
        successes: maybe(integer()),
        expect: maybe(text()),
        body: maybe(text()),
      }),
    ),
    reload: maybe(text()),
    environment: maybe(
      object<NonNullable<Description['environment']>>({
        environment_clear: maybe(constant(true)),
        environment_pass: maybe(text()),
        environment_file_expand: maybe(constant(true)),
        expand_file_variables: maybe(text()),
      }),
    ),
    limits: maybe(dictionary(either<string | number>([text(), number()]))),
    log_targets: object<Description['log_targets']>({ stdout: maybe(text()), stderr: maybe(text()) }),
    log_files: maybe(object<NonNullable<Description['log_files']>>({ stdout: maybe(logFile), stderr: maybe(logFile) })),
    logfile_mkdir: maybe(constant(true)),
    log_multiline: maybe(text()),
    redirect_stderr: truth(),
    process_tree: list(
      object<Api.TreeProcessAnswer>({
        pid: integer(),
        parent: integer(),
        name: text(),
        memory: integer(),
        cpu_ms: number(),
      }),
    ),
    listens: names,
    depends_on: list(
      object<Api.DependsOnAnswer>({
        ...dependencyMembers,
        state: maybe(processState),
        health: maybe(health),
      }),
    ),
    last_check: maybe(
      object<NonNullable<Description['last_check']>>({
        at: wallMs,
        passed: truth(),
        failure: maybe(text()),
        output: text(),
      }),
    ),
    flapping_window: number(),
    dependents: names,
    notifications: names,
    runs: list(runSchema),
  }),
);
