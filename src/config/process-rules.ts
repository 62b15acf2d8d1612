/**
 * Rules between the options of one process: combinations that are refused, defaults that depend on other options, and
 * values that come from [supervisord]. Reads no text; the values are converted already. Pure.
 */
import { FIRST_LISTEN_FD } from '../core/socket-activation.ts';
import type { StreamName } from '../core/stream-name.ts';
import type { Context } from './datatype.ts';
import { checkLogFiles } from './log-files.ts';
import type { LogTarget } from './log-target.ts';
import type { InheritedOption, InheritedOptions } from './model.ts';
import type { ProgramOptions, SupervisordOptions } from './options.ts';
import type { ProcessType } from './section-names.ts';
import type { SectionView } from './section-view.ts';

/** Section of a process, and the settings that its rules depend on. */
export interface RuleContext {
  readonly view: SectionView;
  readonly type: ProcessType;
  readonly isContainer: boolean;
  readonly supervisord: SupervisordOptions;
  readonly context: Context;
}

/** Options of a process after all rules. */
export type RuledOptions = Omit<ProgramOptions, InheritedOption> & InheritedOptions;

/** A combination of options that is an error. */
interface Conflict {
  /** Option that the error names. */
  readonly option: keyof ProgramOptions;
  readonly reason: string | ((options: ProgramOptions) => string);
  readonly isBroken: (options: ProgramOptions, type: ProcessType) => boolean;
}

const CONFLICTS: readonly Conflict[] = [
  {
    option: 'killasgroup',
    reason: 'cannot be false while stopasgroup is true; remove it',
    isBroken: ({ stopasgroup, killasgroup }) => stopasgroup && !killasgroup,
  },
  {
    option: 'redirect_stderr',
    reason: 'cannot be true for an event listener: its standard output carries the protocol',
    isBroken: ({ redirect_stderr: isRedirected }, type) => type === 'eventlistener' && isRedirected,
  },
  {
    option: 'tty',
    reason: 'cannot be true for an event listener: its standard output carries the protocol',
    isBroken: ({ tty }, type) => type === 'eventlistener' && tty,
  },
  {
    option: 'notification_fd',
    reason: 'cannot be set together with notify: a program reports its readiness in one way; remove one of the two',
    isBroken: ({ notify, notification_fd: fd }) => notify !== null && fd !== null,
  },
  {
    option: 'reload_command',
    reason: 'cannot be set together with reload_signal: a program is reloaded in one way; remove one of the two',
    isBroken: ({ reload_signal: signal, reload_command: command }) => signal !== null && command !== null,
  },
  {
    option: 'ready_log',
    reason:
      'cannot be set together with notify or notification_fd: a program reports its readiness in one way; remove one ' +
      'of them',
    isBroken: ({ notify, notification_fd: fd, ready_log: pattern }) =>
      pattern !== null && (notify !== null || fd !== null),
  },
  {
    option: 'ready_timeout',
    reason: 'needs ready_log, notification_fd or notify=sd, by which the program is ready; add one of them',
    isBroken: ({ notify, notification_fd: fd, ready_log: pattern, ready_timeout: seconds }) =>
      seconds !== null && pattern === null && notify === null && fd === null,
  },
  {
    option: 'notification_fd',
    reason: ({ listen }) =>
      `is the descriptor of a socket: the program gets those of listen as ${FIRST_LISTEN_FD} to ` +
      `${FIRST_LISTEN_FD + listen.length - 1}; use ${FIRST_LISTEN_FD + listen.length}`,
    isBroken: ({ listen, notification_fd: fd }) => fd !== null && fd < FIRST_LISTEN_FD + listen.length,
  },
  {
    option: 'listen_lazy',
    reason: 'needs listen, the sockets whose first connection starts the program; add it',
    isBroken: ({ listen, listen_lazy: isLazy }) => isLazy && listen.length === 0,
  },
  {
    option: 'listen_lazy',
    reason: 'cannot be true for an event listener: its events would wait for a connection',
    isBroken: ({ listen_lazy: isLazy }, type) => isLazy && type === 'eventlistener',
  },
  {
    option: 'listen_lazy',
    reason: 'cannot be true together with cron or dependent_startup, which start the program too; remove one of them',
    isBroken: ({ listen_lazy: isLazy, cron, dependent_startup: isDependent }) =>
      isLazy && (cron !== null || isDependent),
  },
  {
    option: 'environment_pass',
    reason: 'needs environment_clear=true; without it, the program inherits all variables',
    isBroken: ({ environment_clear: isCleared, environment_pass: names }) => names.length > 0 && !isCleared,
  },
  {
    option: 'signal_on_change',
    reason: 'needs restart_on_change, which names the files; add it',
    isBroken: ({ restart_on_change: patterns, signal_on_change: signal }) => signal !== null && patterns.length === 0,
  },
  {
    option: 'watchdog_sec',
    reason: 'needs notify=sd, by which the program sends WATCHDOG=1; add it, or use healthcheck',
    isBroken: ({ notify, watchdog_sec: seconds }) => notify === null && (seconds ?? 0) > 0,
  },
];

/** Applies all rules to the options of a process, as they were read. Violations become problems of the section. */
export function applyProcessRules(context: RuleContext, read: ProgramOptions): RuledOptions {
  const { view, type, supervisord } = context;
  const options = { ...read, ...deriveStop(context, read) };
  for (const { option, reason, isBroken } of CONFLICTS)
    if (isBroken(options, type)) view.error(option, typeof reason === 'string' ? reason : reason(options));
  const streams = deriveStreams(context, options);
  const inherited = inheritOptions(options, supervisord);
  for (const option of ['stdout_logfile', 'stderr_logfile'] as const)
    checkLogFiles(view, { option, targets: streams[option], mkdir: inherited.logfile_mkdir }, context.context);
  const { memory_high: high, memory_max: most } = options;
  if (high !== null && most !== null && high > most)
    view.warn(
      'memory_high',
      'has no effect above memory_max: the kernel kills before it slows down; use a lower value',
    );
  if (view.section.options.has('log_multiline')) reportIdleMultiline(view, inherited, streams);
  return {
    ...options,
    ...streams,
    ...inherited,
    serverurl: options.serverurl?.trim().toUpperCase() === 'AUTO' ? null : options.serverurl,
    // A program with a schedule is started by the schedule; autostart must be asked for.
    autostart: options.cron !== null && !view.isSet('autostart') ? false : options.autostart,
    success_exit_codes: [...new Set([...options.success_exit_codes, ...supervisord.success_exit_codes])],
  };
}

type Streams = Pick<ProgramOptions, `${StreamName}_${'logfile' | 'syslog'}`>;

/** Warns of a log_multiline that no target uses. Files have the bytes of the program. */
function reportIdleMultiline(
  view: SectionView,
  { log_format: format }: InheritedOptions,
  { stdout_logfile: stdout, stderr_logfile: stderr, stdout_syslog, stderr_syslog }: Streams,
): void {
  const targets = [...stdout, ...stderr];
  const isRecord = format === 'json' || format === 'logfmt';
  const isUsed =
    stdout_syslog ||
    stderr_syslog ||
    targets.some(({ kind }) =>
      kind === 'container' || kind === 'stdio' ? isRecord : kind === 'remote' || kind === 'syslog',
    );
  if (!isUsed)
    view.warn(
      'log_multiline',
      'has no effect: it is for syslog, log servers, and the formats json and logfmt on /dev/stdout and /dev/stderr',
    );
}

/** Seconds that an unset stopwaitsecs leaves of stop_budget for the exit of the supervisor after its programs. */
const EXIT_RESERVE_S = 2;

/** Returns the options of a stop, whose defaults depend on each other and on stop_budget. */
function deriveStop(
  { view, supervisord: { stop_budget: budget, shutdown_delay: delay } }: RuleContext,
  { killasgroup, kill_orphans: orphans, stopasgroup, stopwaitsecs }: ProgramOptions,
): Pick<ProgramOptions, 'killasgroup' | 'kill_orphans' | 'stopwaitsecs'> {
  const killsGroup = view.isSet('killasgroup') ? killasgroup : stopasgroup;
  const hasGroupStop = stopasgroup || killsGroup;
  return {
    killasgroup: killsGroup,
    kill_orphans: hasGroupStop && !view.isSet('kill_orphans') ? 'stop' : orphans,
    stopwaitsecs:
      budget === null || view.isSet('stopwaitsecs')
        ? stopwaitsecs
        : Math.max(1, Math.floor(budget - delay - EXIT_RESERVE_S)),
  };
}

const NO_LOG: readonly LogTarget[] = [{ kind: 'none' }];

/** Returns the log targets of both streams, and if they are one. */
function deriveStreams(
  { view, type, isContainer }: RuleContext,
  options: ProgramOptions,
): Pick<ProgramOptions, 'redirect_stderr' | `${StreamName}_${'logfile' | 'syslog'}`> {
  // A terminal has one output.
  const isJoined = options.redirect_stderr || options.tty;
  if (options.tty && !options.redirect_stderr && view.isSet('redirect_stderr'))
    view.warn('redirect_stderr', 'is ignored, because tty is true: a terminal has one output');
  const stdout = readStream(view, 'stdout', options);
  const stderr = readStream(view, 'stderr', options);
  const hasErrorFile = stderr.targets.some(({ kind }) => kind === 'file' || kind === 'stdio');
  if (isJoined && hasErrorFile)
    view.warn('stderr_logfile', `is ignored, because ${options.tty ? 'tty' : 'redirect_stderr'} is true`);
  // The standard output of a listener carries the event protocol. Show it on the console only if the file says so.
  const isProtocol = type === 'eventlistener' && isContainer && !view.isSet('stdout_logfile');
  return {
    redirect_stderr: isJoined,
    stdout_logfile: isProtocol ? NO_LOG : stdout.targets,
    stdout_syslog: stdout.isSyslog,
    stderr_logfile: isJoined ? NO_LOG : stderr.targets,
    stderr_syslog: stderr.isSyslog,
  };
}

/** compat: the log file name `syslog` means NONE with `stdout_syslog=true`. */
function readStream(
  view: SectionView,
  stream: StreamName,
  options: ProgramOptions,
): { readonly targets: readonly LogTarget[]; readonly isSyslog: boolean } {
  const name = `${stream}_logfile` as const;
  const targets = options[name];
  if (targets.length === 1 && targets[0]?.kind === 'syslog') {
    view.warn(name, `syslog as a file name is deprecated; use ${stream}_syslog=true`);
    return { targets: NO_LOG, isSyslog: true };
  }
  const hasAutoLog = targets.some(({ kind }) => kind === 'auto');
  if (hasAutoLog && options[`${name}_maxbytes`] === 0) {
    view.warn(
      `${name}_maxbytes`,
      'an automatic log that is never rotated can fill the disk; set a size, or name a log file',
    );
  }
  return { targets, isSyslog: options[`${stream}_syslog`] };
}

/** Returns the options of a program that are taken from [supervisord] if the program does not set them. */
export function inheritOptions(own: ProgramOptions, supervisord: SupervisordOptions): InheritedOptions {
  return {
    log_format: own.log_format ?? supervisord.log_format,
    log_prefix: own.log_prefix ?? supervisord.log_prefix,
    log_timestamp: own.log_timestamp ?? supervisord.log_timestamp,
    log_json_lines: own.log_json_lines ?? supervisord.log_json_lines,
    log_partial_after: own.log_partial_after ?? supervisord.log_partial_after,
    rotate_interval: own.rotate_interval ?? supervisord.rotate_interval,
    tail_bytes: own.tail_bytes ?? supervisord.tail_bytes,
    expand_file_variables: own.expand_file_variables ?? supervisord.expand_file_variables,
    compress: own.compress ?? supervisord.compress,
    log_multiline: own.log_multiline ?? supervisord.log_multiline,
    logfile_mkdir: own.logfile_mkdir ?? supervisord.logfile_mkdir,
  };
}
