/** The panel for a search in the log files on the server. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../texts.ts';
import { splitColours } from './ansi.ts';
import { type FileHit, MAX_HITS, searchFiles } from './file-search.ts';
import { Matcher } from './matcher.ts';

/** State of a search. */
interface Search {
  readonly hits: readonly FileHit[];
  readonly note: string;
  readonly isRunning: boolean;
}

const IDLE: Search = { hits: [], note: '', isRunning: false };

/** Shows the search. `programs`: names to choose from. */
export function FileSearchPanel({
  programs,
  initial,
  onClose,
}: {
  readonly programs: readonly string[];
  readonly initial: string;
  readonly onClose: () => void;
}) {
  const [name, setName] = useState(programs[0] ?? '');
  const [stream, setStream] = useState('stdout');
  const [text, setText] = useState(initial);
  const [search, setSearch] = useState(IDLE);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  const start = async (): Promise<void> => {
    running.current?.abort();
    const matcher = Matcher.parse(text);
    if (!(matcher instanceof Matcher)) {
      setSearch({ ...IDLE, note: matcher === null ? '' : t('logs.badPattern', { reason: matcher }) });
      return;
    }
    const controller = new AbortController();
    running.current = controller;
    let state: Search = { ...IDLE, isRunning: true };
    const show = (change: Partial<Search>): void => {
      state = { ...state, ...change };
      if (running.current === controller) setSearch(state);
    };
    show({});
    try {
      await searchFiles({ name, stream, ...matcher.query }, controller.signal, (messages) => {
        const found = messages.flatMap((message) => ('hit' in message ? [message.hit] : []));
        const note = messages.map(noteOf).findLast((one) => one !== null);
        show({ hits: [...state.hits, ...found].slice(0, MAX_HITS), note: note ?? state.note });
      });
      show({ isRunning: false });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      show({ isRunning: false, ...(controller.signal.aborted ? {} : { note: t('logs.failed', { reason }) }) });
    }
  };
  return (
    <section class="files" aria-label={t('logs.files')}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <p>{t('logs.filesHelp')}</p>
        <select aria-label={t('logs.programs')} value={name} onChange={(event) => setName(event.currentTarget.value)}>
          {programs.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
        <select
          aria-label={t('logs.streams')}
          value={stream}
          onChange={(event) => setStream(event.currentTarget.value)}
        >
          <option>stdout</option>
          <option>stderr</option>
        </select>
        <input
          type="search"
          aria-label={t('logs.files')}
          placeholder={t('logs.filterHelp')}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        {search.isRunning ? (
          <button type="button" onClick={() => running.current?.abort()}>
            {t('logs.stop')}
          </button>
        ) : (
          <button type="submit" class="primary">
            {t('logs.start')}
          </button>
        )}
        <button type="button" onClick={onClose}>
          {t('logs.close')}
        </button>
        <span role="status" class="note">
          {search.note}
        </span>
      </form>
      <ol class="hits" tabIndex={0} aria-label={t('logs.hits', { n: search.hits.length })}>
        {search.hits.map(({ file, offset, text: line }) => (
          <li key={`${file} ${offset}`}>
            <span class="time">{`${file}:${offset} `}</span>
            {splitColours(line.slice(0, 2000))
              .map((piece) => piece.text)
              .join('')}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Returns the text of a message for the line of notes. */
function noteOf(message: Parameters<Parameters<typeof searchFiles>[2]>[0][number]): string | null {
  if ('done' in message) {
    const { hits, capped } = message.done;
    return capped ? t('logs.capped', { n: hits }) : t('logs.hits', { n: hits });
  }
  if (!('progress' in message)) return null;
  const { file, bytes, size } = message.progress;
  return t('logs.progress', { file, percent: size === 0 ? 100 : Math.floor((bytes / size) * 100) });
}
