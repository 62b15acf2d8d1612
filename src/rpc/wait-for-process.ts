/**
 * Waits for `wait=true` until a process has started or stopped. The wait follows the events of the engine, without
 * polling and without a timeout: startsecs, startretries and stopwaitsecs limit it, and the client can disconnect.
 */
import type { ProcessView } from '../engine/process-table.ts';
import type { CallContext } from './method.ts';
import { onAbort, onProcessChange } from './process-waits.ts';

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
    const end = (): void => {
      ignoreChanges();
      ignoreAbort();
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
    const ignoreChanges = onProcessChange(api, id, ask);
    const ignoreAbort = onAbort(signal, abort);
    if (signal.aborted) abort();
    else ask(api.process(id));
  });
}
