/**
 * Waits for `wait=true` until a process has started or stopped. The wait follows the events of the engine, without
 * polling and without a timeout: startsecs, startretries and stopwaitsecs limit it, and the client can disconnect.
 */
import type { ProcessView } from '../engine/process-table.ts';
import type { CallContext } from './method.ts';

/**
 * Returns the answer to the client, or null to keep waiting. Throws the answer if it is a fault. The process is null if
 * its group was removed during the wait.
 */
export type Judge<T> = (proc: ProcessView | null) => T | null;

/**
 * Calls `judge` at once and after every change of the process, and resolves with its first answer. Rejects with an
 * error of `judge`, and when the client disconnects.
 */
export function waitForProcess<T>({ api, signal }: CallContext, id: string, judge: Judge<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    // The first call of `judge` comes last, because it may call `end`, which needs both subscriptions.
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
