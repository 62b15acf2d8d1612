/** Exit codes of programs, from the end of a run as the supervisor tells it. Pure. */
import { shellExitCode } from '../../core/exit-status.ts';
import { FIRST_REALTIME, type SignalName, signalNumbers } from '../../core/signals.ts';

/** Exit code of a program that the kernel has killed for its memory: SIGKILL. */
const OUT_OF_MEMORY = 128 + signalNumbers.SIGKILL;
/** Exit code of shells for a command that cannot be executed. */
export const NOT_EXECUTED = 127;

/** Returns the exit code of a run as shells have it, 128 and the number for a signal; 1 for an unknown end. */
export function exitCodeOfRun(end: Readonly<Record<string, unknown>>): number {
  const { outcome, exit_code: code, exit_signal: signal } = end;
  if (outcome === 'out_of_memory') return OUT_OF_MEMORY;
  if (outcome === 'not_executed') return NOT_EXECUTED;
  if (typeof code === 'number') return code;
  if (typeof signal === 'string') return shellExitCode({ kind: 'signaled', signal: numberOf(signal), core: false });
  return 1;
}

/** Returns the number of a signal from its name: `SIGTERM`, `SIGRTMIN+3`, `signal 33`. */
function numberOf(text: string): number {
  const known = signalNumbers[text as SignalName] as number | undefined;
  if (known !== undefined) return known;
  const [, name, digits = '0'] = /^(SIGRTMIN|signal )\+?(\d+)?$/.exec(text) ?? [];
  return (name === 'SIGRTMIN' ? FIRST_REALTIME : 0) + Number(digits);
}
