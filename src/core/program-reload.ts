/**
 * The request to a program to read its own configuration again (`reload_signal`, `reload_command`): conditions, and
 * texts of its results. Pure.
 */
import { formatSignal } from './signals.ts';
import type { ProcessStateName } from './states.ts';

/** The way of a reload. */
export type ReloadWay = { readonly kind: 'signal'; readonly signal: number } | { readonly kind: 'command' };

/** The result of a reload that was tried. `failure`: a reason for people; null for success. */
export interface ReloadResult {
  readonly way: ReloadWay;
  readonly failure: string | null;
}

/** Options that give the way. Both together are an error of the configuration. */
export interface ReloadOptions {
  readonly reload_signal: number | null;
  readonly reload_command: string | null;
}

/** Returns the way of a program; null if none is set. */
export function reloadWayOf({ reload_signal: signal, reload_command: command }: ReloadOptions): ReloadWay | null {
  if (command !== null) return { kind: 'command' };
  return signal === null ? null : { kind: 'signal', signal };
}

/** Returns the reason why a process cannot be reloaded now, with the way out; null if it can. */
export function refuseReload(way: ReloadWay | null, state: ProcessStateName, isUnderWay: boolean): string | null {
  if (way === null) return 'neither reload_signal nor reload_command is set; set one of them and use `update`';
  if (state !== 'RUNNING' && state !== 'STARTING') return `it is not running (${state})`;
  return isUnderWay ? 'its reload_command runs already' : null;
}

/** Formats a way: `SIGHUP`, `reload_command`. */
export function formatReloadWay(way: ReloadWay): string {
  return way.kind === 'signal' ? formatSignal(way.signal) : 'reload_command';
}

/** Formats a result: `reloaded by SIGHUP`, `reload failed: reload_command failed (exit status 3)`. */
export function formatReload({ way, failure }: ReloadResult): string {
  return failure === null ? `reloaded by ${formatReloadWay(way)}` : `reload failed: ${failure}`;
}
