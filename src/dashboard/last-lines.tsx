/** The last lines of a program, as they come, with the colours and levels of the log view. */
import { signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { LogsAnswer } from '../api/types.ts';
import { getJson } from './api.ts';
import { drawPiece } from './logs/log-row.tsx';
import { piecesOf } from './logs/row-pieces.ts';
import { connection } from './session.ts';
import { t } from './texts.ts';

/** Number of lines. */
const LAST_LINES = 10;

/**
 * Pause between two requests. They ask for the last lines only, so a program that writes 100,000 lines a second costs
 * as much as any other, which the stream of its lines would not.
 */
const PAUSE_MS = 1000;

type Lines = LogsAnswer['lines'];

/** Asks for the last lines while the tab is shown and connected. */
function useLastLines(name: string): Lines {
  const lines = useMemo(() => signal<Lines>([]), []);
  const isOpen = connection.link.value === 'open';
  useEffect(() => {
    if (!isOpen) return undefined;
    const stopping = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      try {
        const query = { names: [name], limit: LAST_LINES };
        const answer = await getJson<LogsAnswer>('logs', query, stopping.signal);
        if (!isSame(lines.peek(), answer.lines)) lines.value = answer.lines;
      } catch {
        // The view says itself that there is no connection or no such program.
      }
      if (!stopping.signal.aborted) timer = setTimeout(() => void ask(), PAUSE_MS);
    };
    void ask();
    return () => {
      stopping.abort();
      clearTimeout(timer);
    };
  }, [name, isOpen]);
  return lines.value;
}

/** True if no line has been added or has grown. */
function isSame(one: Lines, other: Lines): boolean {
  const [last, newest] = [one.at(-1), other.at(-1)];
  return one.length === other.length && last?.seq === newest?.seq && last?.text === newest?.text;
}

/** Shows the last lines of a program; nothing if there are none. */
export function LastLines({ name }: { readonly name: string }) {
  const lines = useLastLines(name);
  if (lines.length === 0) return null;
  return (
    <section class="card">
      <h2>{t('program.lines')}</h2>
      {/* The browser lets the keyboard scroll what has the focus. */}
      <pre tabIndex={0} role="log" aria-live="off" aria-label={t('program.lines')}>
        {lines.map(({ seq, text }) => (
          <div key={seq} class="row">
            {piecesOf(text, { isRaw: false, isWhole: false, marks: [] }).pieces.map(drawPiece)}
          </div>
        ))}
      </pre>
    </section>
  );
}
