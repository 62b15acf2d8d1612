/** The exit of a process, decoded from the status word of waitpid(2) on Linux, and the exit codes for it. Pure. */
import { formatSignal } from './signals.ts';

/** The exit of a process. */
export type ExitStatus =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signaled'; readonly signal: number; readonly core: boolean };

const TERM_SIGNAL = 0x7f;
const CORE_DUMPED = 0x80;

/** Decodes the status word of waitpid(2), as WIFEXITED and the other macros do. */
export function parseWaitStatus(status: number): ExitStatus {
  const signal = status & TERM_SIGNAL;
  if (signal === 0) return { kind: 'exited', code: (status >> 8) & 0xff };
  return { kind: 'signaled', signal, core: (status & CORE_DUMPED) !== 0 };
}

/**
 * Formats an exit: `exit status 1`, `terminated by SIGKILL`, `terminated by SIGSEGV (core dumped)`. Supervisor's words,
 * which other tools grep.
 */
export function formatExit(status: ExitStatus): string {
  if (status.kind === 'exited') return `exit status ${status.code}`;
  return `terminated by ${formatSignal(status.signal)}${status.core ? ' (core dumped)' : ''}`;
}

/**
 * compat: Supervisor's `exitstatus` on the wire, -1 for a process that a signal ended
 * (supervisor.options.decode_wait_status).
 */
export function supervisorExitStatus(status: ExitStatus): number {
  return status.kind === 'exited' ? status.code : -1;
}

/** Returns the exit code as shells and containers have it: the code, or 128 + the signal. */
export function shellExitCode(status: ExitStatus): number {
  return status.kind === 'exited' ? status.code : 128 + status.signal;
}

/** True if `exitcodes` has the exit code. An exit by a signal is never expected. */
export function isExpectedExit(status: ExitStatus, exitCodes: readonly number[]): boolean {
  return status.kind === 'exited' && exitCodes.includes(status.code);
}
