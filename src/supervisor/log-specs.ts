/** Translates the options of a configuration for the logs: the targets of each channel, and their formats. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { Config, ProcessConfig } from '../config/model.ts';
import type { LogTarget as ConfiguredTarget } from '../config/log-target.ts';
import type { SupervisordOptions } from '../config/options.ts';
import type { RotateInterval } from '../config/log-types.ts';
import type { Owner } from '../core/file-access.ts';
import type { StreamName } from '../core/stream-name.ts';
import type {
  ChannelSpec,
  FileLimits,
  FileRules,
  LineStyle,
  LogFormat,
  LogTarget,
  MainLogSpec,
} from '../logs/ports.ts';
import type { RotationInterval } from '../logs/rotation-time.ts';

const SECOND_MS = 1000;

/** The rules of most log files. Shared by the logs of thousands of programs. */
const PLAIN_RULES: FileRules = { access: { mode: null, owner: null }, makesDirectories: false };
const MAKING_RULES: FileRules = { ...PLAIN_RULES, makesDirectories: true };

/** Facts of the machine that a log file depends on. */
export interface FilePorts {
  /** Creates a log file for AUTO and returns its path; null if that fails. */
  readonly autoPath: () => string | null;
  /** Looks up a user and a group; null if that fails. */
  readonly lookUpOwner: (owner: Owner) => { readonly uid: number; readonly gid: number } | null;
}

/** Limits and rules of the files of one log. */
type FileSettings = FileLimits & { readonly rules: FileRules };

/** Returns the channel for a stream of a process; null for stderr with redirect_stderr. */
export function channelSpec(
  proc: ProcessConfig,
  stream: StreamName,
  supervisord: SupervisordOptions,
  ports: FilePorts,
): ChannelSpec | null {
  const { options } = proc;
  if (stream === 'stderr' && options.redirect_stderr) return null;
  const isStdout = stream === 'stdout';
  const rotation = {
    maxBytes: isStdout ? options.stdout_logfile_maxbytes : options.stderr_logfile_maxbytes,
    backups: isStdout ? options.stdout_logfile_backups : options.stderr_logfile_backups,
    interval: rotationInterval(options.rotate_interval),
    compress: options.compress,
    rules: fileRules(
      isStdout ? options.stdout_logfile_mode : options.stderr_logfile_mode,
      isStdout ? options.stdout_logfile_owner : options.stderr_logfile_owner,
      options.logfile_mkdir,
      ports,
    ),
  };
  const configured = isStdout ? options.stdout_logfile : options.stderr_logfile;
  const targets = configured.flatMap((target) => logTarget(target, options.log_format, rotation, ports));
  if (proc.echoed.includes(stream)) targets.push({ kind: 'container', stream: 1, format: 'prefix' });
  if (isStdout ? options.stdout_syslog : options.stderr_syslog) targets.push({ kind: 'syslog', format: 'raw' });
  return {
    group: proc.group,
    program: proc.program,
    process: proc.name,
    stream,
    // A copy: an array that has grown by push has room for 17 elements.
    targets: [...targets],
    style: styleOf(proc, supervisord),
    stripAnsi: supervisord.strip_ansi,
    captureMaxBytes: isStdout ? options.stdout_capture_maxbytes : options.stderr_capture_maxbytes,
    tailBytes: options.tail_bytes,
  };
}

/**
 * Returns the supervisor's own log. `onConsole`: the supervisor stays in the foreground and is not silent. With a main
 * program, the console is stderr: stdout belongs to that program, and may carry data.
 */
export function mainLogSpec(config: Config, onConsole: boolean, lookUpOwner: FilePorts['lookUpOwner']): MainLogSpec {
  const { supervisord } = config;
  const format = supervisord.log_format ?? 'raw';
  const rotation = {
    maxBytes: supervisord.logfile_maxbytes,
    backups: supervisord.logfile_backups,
    interval: rotationInterval(supervisord.rotate_interval),
    compress: supervisord.compress,
    rules: fileRules(supervisord.logfile_mode, supervisord.logfile_owner, supervisord.logfile_mkdir, { lookUpOwner }),
  };
  const ports = { autoPath: () => null, lookUpOwner };
  const targets = supervisord.logfile.flatMap((target) => logTarget(target, supervisord.log_format, rotation, ports));
  const stream = config.main === null ? 1 : 2;
  // A log that has a container stream as a target needs no console.
  const isConsoleAlready = targets.some((target) => target.kind === 'container');
  return {
    level: supervisord.loglevel,
    targets,
    console: onConsole && !isConsoleAlready ? { kind: 'container', stream, format } : null,
    name: 'onevisor',
    tailBytes: supervisord.tail_bytes,
  };
}

function logTarget(
  target: ConfiguredTarget,
  format: LogFormat | null,
  rotation: FileSettings,
  { autoPath }: FilePorts,
): LogTarget[] {
  switch (target.kind) {
    case 'none':
      return [];
    case 'syslog':
      return [{ kind: 'syslog', format: 'raw' }];
    case 'remote':
      return [{ ...target, format: 'raw' }];
    case 'container':
      return [{ kind: 'container', stream: target.fd, format: format ?? 'prefix' }];
    case 'stdio':
      return [{ kind: 'container', stream: target.fd, format: format ?? 'raw' }];
    case 'file':
      return fileTarget(target.path, rotation);
    case 'auto':
      return fileTarget(autoPath(), rotation);
  }
}

/** The members are named one by one: V8 gives an object with the members of another one more memory. */
function fileTarget(path: string | null, rotation: FileSettings): LogTarget[] {
  if (path === null) return [];
  const { maxBytes, backups, interval, compress, rules } = rotation;
  return [{ kind: 'file', path, maxBytes, backups, interval, compress, rules, format: 'raw' }];
}

function fileRules(
  mode: number | null,
  owner: Owner | null,
  makesDirectories: boolean,
  { lookUpOwner }: Pick<FilePorts, 'lookUpOwner'>,
): FileRules {
  if (mode === null && owner === null) return makesDirectories ? MAKING_RULES : PLAIN_RULES;
  return { access: { mode, owner: owner === null ? null : lookUpOwner(owner) }, makesDirectories };
}

/** Converts an interval to milliseconds; null for no rotation by time. */
function rotationInterval(interval: RotateInterval | null): RotationInterval | null {
  if (interval === null || interval === 0) return null;
  return typeof interval === 'number' ? interval * SECOND_MS : interval;
}

/** The latest style. The logs of most programs have the same one, and share it. */
let latestStyle: LineStyle | null = null;

function styleOf({ options }: ProcessConfig, supervisord: SupervisordOptions): LineStyle {
  const style = {
    prefix: options.log_prefix,
    prefixWidth: supervisord.log_prefix_width,
    timestamp: options.log_timestamp,
    jsonLines: options.log_json_lines,
    partialAfterMs: options.log_partial_after * SECOND_MS,
    multiline: options.log_multiline,
  };
  if (latestStyle === null || !isDeepStrictEqual(style, latestStyle)) latestStyle = style;
  return latestStyle;
}
