/** The places of logs, for the answers to clients. Pure. */
import type { LogTarget } from '../logs/ports.ts';

/** Returns the path of the first target that is a file. */
export function fileOf(targets: readonly LogTarget[]): string | null {
  for (const target of targets) if (target.kind === 'file') return target.path;
  return null;
}

/** Names the place of a log: a path or a device; null for none and for log servers. */
export function describeTarget(target: LogTarget | undefined): string | null {
  if (target === undefined || target.kind === 'syslog' || target.kind === 'remote') return null;
  if (target.kind === 'file') return target.path;
  return target.stream === 1 ? '/dev/stdout' : '/dev/stderr';
}
