/** Answers of the API in views: the latest one stays while the next one is on its way. */
import { type Signal, signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';

/** An answer, or the reason why there is none. */
export interface Remote<T> {
  readonly answer: T | null;
  readonly error: string | null;
}

/** Asks again whenever one of `keys` changes. An answer to an earlier question is dropped. */
export function useRemote<T>(ask: (signal: AbortSignal) => Promise<T>, keys: readonly unknown[]): Signal<Remote<T>> {
  const result = useMemo(() => signal<Remote<T>>({ answer: null, error: null }), []);
  useEffect(() => {
    const stopping = new AbortController();
    ask(stopping.signal).then(
      (answer) => {
        if (!stopping.signal.aborted) result.value = { answer, error: null };
      },
      (problem: unknown) => {
        if (!stopping.signal.aborted)
          result.value = { ...result.value, error: problem instanceof Error ? problem.message : String(problem) };
      },
    );
    return () => stopping.abort();
  }, keys);
  return result;
}
