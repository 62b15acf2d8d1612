/**
 * Waiting for a process to come into a state: what `wait=true` means. Driven by the engine's events; it polls nothing
 * and sets no time limit, since startsecs, startretries and stopwaitsecs bound it, and the client may hang up.
 */
import type { ProcessView } from '../engine/process-table.ts';
import type { CallContext } from './method.ts';

/**
 * Whether a process has settled: the answer, null to go on waiting; it throws what the answer is when that is a fault.
 * A process that is forgotten meanwhile comes as null.
 */
export type Judge<T> = (proc: ProcessView | null) => T | null;

/**
 * Resolves with the first answer of `judge`, which is asked at once and after every change of the process. Rejects with
 * what it throws, and when the client has gone.
 */
export function waitForProcess<T>({ api, signal }: CallContext, id: string, judge: Judge<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    // Both are set before anything can call `end`: the first judgement comes last.
    let unsubscribe = (): void => undefined;
    const end = (): void => {
      unsubscribe();
      signal.removeEventListener('abort', abort);
    };
    const abort = (): void => {
      end();
      reject(signal.reason instanceof Error ? signal.reason : new Error('the client has gone'));
    };
    const ask = (proc: ProcessView | null): void => {
      try {
        const answer = judge(proc);
        if (answer === null) return;
        end();
        resolve(answer);
      } catch (fault) {
        end();
        reject(fault instanceof Error ? fault : new Error(String(fault)));
      }
    };
    unsubscribe = api.subscribe((event) => {
      if ((event.type === 'process' || event.type === 'held') && event.process.id === id) ask(event.process);
      else if (event.type === 'group' && event.change === 'removed' && id.startsWith(`${event.group}:`)) ask(null);
    });
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    else ask(api.process(id));
  });
}
