/**
 * What waitpid(2) says of an ended process, taken apart, and the exit codes that follow from it.
 * Pure; it knows the layout of the status word on Linux and nothing else.
 */
import { formatSignal } from './signals.ts';

/** How a process ended. */
export type ExitStatus =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signaled'; readonly signal: number; readonly core: boolean };

const TERM_SIGNAL = 0x7f;
const CORE_DUMPED = 0x80;

/** Takes the raw status word of waitpid(2) apart (WIFEXITED and its kin). */
export function parseWaitStatus(status: number): ExitStatus {
  const signal = status & TERM_SIGNAL;
  if (signal === 0) return { kind: 'exited', code: (status >> 8) & 0xff };
  return { kind: 'signaled', signal, core: (status & CORE_DUMPED) !== 0 };
}

/**
 * `exit status 1`, `terminated by SIGKILL`, `terminated by SIGSEGV (core dumped)`: Supervisor's words, which other
 * tools grep.
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

/** The exit code that a shell, and a container, gives for it: the code, or 128 + the signal. */
export function shellExitCode(status: ExitStatus): number {
  return status.kind === 'exited' ? status.code : 128 + status.signal;
}

/** Whether this end is one that `exitcodes` expects; an end by signal never is. */
export function isExpectedExit(status: ExitStatus, exitCodes: readonly number[]): boolean {
  return status.kind === 'exited' && exitCodes.includes(status.code);
}
