/** The view of the logs: tools, columns, search, selection, and the keys. */
import { effect } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { connection, store } from '../session.ts';
import { language, t } from '../texts.ts';
import { FileSearchPanel } from './file-search-panel.tsx';
import { LogColumn } from './log-column.tsx';
import { fitName, type RowStyle } from './log-row.tsx';
import { logSettings } from './log-settings.ts';
import { LogsActions, useKeys } from './logs-actions.ts';
import { downloadUrl, FindBar, LogsNotice, SelectionBar } from './logs-bars.tsx';
import { LogsModel, matcherOf } from './logs-model.ts';
import { formatLogsQuery, parseLogsQuery } from './logs-query.ts';
import { LogsToolbar } from './logs-toolbar.tsx';
import type { RowWindow } from './row-window.tsx';

/** Time for which "Copied" is shown. */
const FEEDBACK_MS = 2000;

/** Shows the lines of programs. `query`: the part of the address after `#/logs?`. */
export function LogsView({ query }: { readonly query: URLSearchParams }) {
  const model = useMemo(() => new LogsModel(parseLogsQuery(query), { connection, events: store.events }), []);
  const windows = useRef<Array<RowWindow | null>>([]);
  const filterField = useRef<HTMLInputElement>(null);
  const findField = useRef<HTMLInputElement>(null);
  const isFindAsked = useRef(false);
  const [isFinding, setFinding] = useState(model.query.peek().find !== '');
  const [isSearchingFiles, setSearchingFiles] = useState(false);
  const [feedback, setFeedback] = useState('');
  useEffect(() => () => model.dispose(), []);
  useEffect(() => model.change(parseLogsQuery(query)), [query]);
  useEffect(() => writeAddress(model), []);
  useEffect(() => revealWanted(model, windows.current), []);
  const actions = new LogsActions(model, windows.current, {
    focusFilter: () => filterField.current?.focus(),
    find: () => {
      isFindAsked.current = true;
      setFinding(true);
      findField.current?.select();
    },
    stopFinding: () => {
      setFinding(false);
      model.change({ find: '' });
      actions.window?.focus();
    },
    isFinding,
    tell: (text) => {
      setFeedback(text);
      setTimeout(() => setFeedback(''), FEEDBACK_MS);
    },
  });
  useKeys(actions);
  const { isWrapped, times, isRaw } = logSettings.value;
  const [findMatcher, highlightMatcher] = [matcherOf(model.findText.value), matcherOf(model.highlight.value)];
  const filterMatcher = matcherOf(model.filter.value);
  const programs = store.entries.value.map(({ name }) => name);
  const { names } = model.query.value;
  const shownNames = names.length === 0 || names.some((name) => /[*?]/.test(name)) ? programs : names;
  const width = Math.max(1, ...shownNames.map((name) => fitName(name).length));
  const styles = useMemo(
    () =>
      [width, 0].map((nameWidth): RowStyle => ({
        times,
        isRaw,
        nameWidth,
        language: language.value,
        marks: [
          ...(findMatcher === null ? [] : [[findMatcher, 'found'] as const]),
          ...(highlightMatcher === null ? [] : [[highlightMatcher, 'high'] as const]),
          ...(filterMatcher === null ? [] : [[filterMatcher, 'found'] as const]),
        ],
      })),
    [times, isRaw, findMatcher, highlightMatcher, filterMatcher, language.value, width],
  );
  return (
    <div class="logs">
      <h1 class="offscreen">{t('logs.title')}</h1>
      <LogsToolbar
        model={model}
        programs={programs}
        filterField={filterField}
        download={downloadUrl(model, null)}
        onFind={() => actions.find()}
        onFiles={() => setSearchingFiles(!isSearchingFiles)}
        onPause={() => actions.pause()}
      />
      {isFinding ? <FindBar model={model} field={findField} actions={actions} hasFocus={isFindAsked.current} /> : null}
      {isSearchingFiles ? (
        <FileSearchPanel
          programs={shownNames}
          initial={model.query.value.find || model.query.value.filter}
          onClose={() => setSearchingFiles(false)}
        />
      ) : null}
      <LogsNotice model={model} />
      <div class="logcolumns">
        {model.columns.value.map((column, index) => (
          <LogColumn
            key={column.names.join(' ')}
            model={model}
            column={column}
            index={index}
            isWrapped={isWrapped}
            style={(model.hasNames(column) ? styles[0] : styles[1]) as RowStyle}
            onWindow={(shown) => {
              windows.current[index] = shown;
            }}
            onClick={(event, position) => actions.click(event, index, position)}
            onScrolled={() => actions.synchronise(index)}
            onFollow={() => actions.follow(index)}
          />
        ))}
      </div>
      <SelectionBar model={model} actions={actions} feedback={feedback} />
    </div>
  );
}

/** Keeps the address of the page up to the choices. Returns a function that ends it. */
function writeAddress(model: LogsModel): () => void {
  return effect(() => {
    const text = formatLogsQuery(model.query.value);
    const hash = text === '' ? '#/logs' : `#/logs?${text}`;
    if (location.hash !== hash) history.replaceState(null, '', hash);
  });
}

/** Shows the line of the address when it has come. Returns a function that ends it. */
function revealWanted(model: LogsModel, windows: ReadonlyArray<RowWindow | null>): () => void {
  return effect(() => {
    const position = model.wanted.value;
    const column = model.selection.peek()?.column ?? 0;
    if (position !== null) windows[column]?.reveal(position);
  });
}
