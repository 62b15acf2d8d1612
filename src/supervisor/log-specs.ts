/** Translates the options of a configuration for the logs: the targets of each channel, and their formats. Pure. */
import type { Config, ProcessConfig } from '../config/model.ts';
import type { LogTarget as ConfiguredTarget } from '../config/log-target.ts';
import type { SupervisordOptions } from '../config/options.ts';
import type { RotateInterval } from '../config/log-types.ts';
import type { StreamName } from '../core/stream-name.ts';
import type { ChannelSpec, FileLimits, LineStyle, LogFormat, LogTarget, MainLogSpec } from '../logs/ports.ts';
import type { RotationInterval } from '../logs/rotation-time.ts';

const SECOND_MS = 1000;

/** Creates a log file for AUTO and returns its path; null if that fails. */
export type AutoPath = () => string | null;

/** Returns the channel for a stream of a process; null for stderr with redirect_stderr. */
export function channelSpec(
  proc: ProcessConfig,
  stream: StreamName,
  supervisord: SupervisordOptions,
  autoPath: AutoPath,
): ChannelSpec | null {
  const { options } = proc;
  if (stream === 'stderr' && options.redirect_stderr) return null;
  const isStdout = stream === 'stdout';
  const rotation = {
    maxBytes: isStdout ? options.stdout_logfile_maxbytes : options.stderr_logfile_maxbytes,
    backups: isStdout ? options.stdout_logfile_backups : options.stderr_logfile_backups,
    interval: rotationInterval(options.rotate_interval),
    compress: options.compress,
  };
  const configured = isStdout ? options.stdout_logfile : options.stderr_logfile;
  const targets = configured.flatMap((target) => logTarget(target, options.log_format, rotation, autoPath));
  if (proc.echoed.includes(stream)) targets.push({ kind: 'container', stream: 1, format: 'prefix' });
  if (isStdout ? options.stdout_syslog : options.stderr_syslog) targets.push({ kind: 'syslog', format: 'raw' });
  return {
    group: proc.group,
    program: proc.program,
    process: proc.name,
    stream,
    targets,
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
export function mainLogSpec(config: Config, onConsole: boolean): MainLogSpec {
  const { supervisord } = config;
  const format = supervisord.log_format ?? 'raw';
  const rotation = {
    maxBytes: supervisord.logfile_maxbytes,
    backups: supervisord.logfile_backups,
    interval: rotationInterval(supervisord.rotate_interval),
    compress: supervisord.compress,
  };
  const targets = supervisord.logfile.flatMap((target) =>
    logTarget(target, supervisord.log_format, rotation, () => null),
  );
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
  rotation: FileLimits,
  autoPath: AutoPath,
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
      return [{ kind: 'file', path: target.path, ...rotation, format: 'raw' }];
    case 'auto':
      return autoFile(autoPath(), rotation);
  }
}

function autoFile(path: string | null, rotation: FileLimits): LogTarget[] {
  return path === null ? [] : [{ kind: 'file', path, ...rotation, format: 'raw' }];
}

/** Converts an interval to milliseconds; null for no rotation by time. */
function rotationInterval(interval: RotateInterval | null): RotationInterval | null {
  if (interval === null || interval === 0) return null;
  return typeof interval === 'number' ? interval * SECOND_MS : interval;
}

function styleOf({ options }: ProcessConfig, supervisord: SupervisordOptions): LineStyle {
  return {
    prefix: options.log_prefix,
    prefixWidth: supervisord.log_prefix_width,
    timestamp: options.log_timestamp,
    jsonLines: options.log_json_lines,
    partialAfterMs: options.log_partial_after * SECOND_MS,
  };
}
