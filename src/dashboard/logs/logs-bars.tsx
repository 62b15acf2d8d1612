/** The bars of the log view: the search, the notice of a view that does not follow, and the chosen lines. */
import type { RefObject } from 'preact';
import { useLayoutEffect } from 'preact/hooks';
import { apiUrl } from '../api.ts';
import { t } from '../texts.ts';
import { rowsIn } from './line-range.ts';
import { logSettings } from './log-settings.ts';
import type { LogsActions } from './logs-actions.ts';
import { type LogsModel, matcherOf } from './logs-model.ts';
import { formatLogsQuery } from './logs-query.ts';
import { TextField } from './logs-toolbar.tsx';
import { fullTime } from './times.ts';

/** The search in the loaded lines. `hasFocus`: it takes the focus before the next key is handled. */
export function FindBar({
  model,
  field,
  actions,
  hasFocus,
}: {
  readonly model: LogsModel;
  readonly field: RefObject<HTMLInputElement | null>;
  readonly actions: LogsActions;
  readonly hasFocus: boolean;
}) {
  useLayoutEffect(() => {
    if (hasFocus) field.current?.select();
  }, []);
  const pane = model.column?.pane;
  void pane?.version.value;
  const count = pane?.find?.count ?? 0;
  const found = model.found.value;
  const at = found === null ? 0 : (pane?.find?.ordinal(found) ?? 0);
  return (
    <div class="findbar" role="search">
      <TextField
        label={t('logs.find')}
        value={model.query.value.find}
        problem={model.findText.value}
        field={field}
        onText={(find) => model.change({ find })}
        onEnter={(isBack) => actions.step(isBack ? -1 : 1)}
      />
      <span class="note">{count === 0 ? t('logs.none') : t('logs.count', { at, n: count.toLocaleString('en') })}</span>
      <button type="button" onClick={() => actions.step(-1)} aria-label={t('logs.previous')}>
        ↑
      </button>
      <button type="button" onClick={() => actions.step(1)} aria-label={t('logs.next')}>
        ↓
      </button>
      <button type="button" onClick={() => actions.stopFinding()} aria-label={t('logs.close')}>
        ✕
      </button>
    </div>
  );
}

/** Tells about a view that does not follow, and about names without a column. */
export function LogsNotice({ model }: { readonly model: LogsModel }) {
  const { since, until, at, names, isSplit } = model.query.value;
  const isTooMany = isSplit && model.columns.value.length > 1 && names.length > model.columns.value.length;
  if (model.isLive && !isTooMany) return null;
  const isUtc = logSettings.value.times === 'utc';
  const text = ((): string => {
    if (model.isLive) return t('logs.tooMany', { n: model.columns.value.length });
    if (at !== null) return t(model.isOtherEpoch.value ? 'logs.otherEpoch' : 'logs.around');
    return t('logs.span', {
      since: since === null ? t('logs.spanStart') : fullTime(since, isUtc),
      until: until === null ? t('logs.spanEnd') : fullTime(until, isUtc),
    });
  })();
  return (
    <p class="lognotice">
      {text}
      {model.isLive ? null : (
        <button type="button" onClick={() => model.change({ since: null, until: null, at: null })}>
          {t('logs.live')}
        </button>
      )}
    </p>
  );
}

/** The chosen lines, and what can be done with them. */
export function SelectionBar({
  model,
  actions,
  feedback,
}: {
  readonly model: LogsModel;
  readonly actions: LogsActions;
  readonly feedback: string;
}) {
  const chosen = model.selection.value;
  const column = chosen === null ? undefined : model.columns.value[chosen.column];
  if (chosen === null || column === undefined) return <div class="chosen" role="status" />;
  const rows = rowsIn(chosen, column.pane.ring, column.pane.view);
  const head = column.pane.ring.at(chosen.head);
  const times = [rows[0]?.at, rows.at(-1)?.at] as const;
  return (
    <div class="chosen shown">
      <span role="status">{feedback === '' ? selectedText(rows.length) : feedback}</span>
      <button type="button" onClick={() => void actions.copy()}>
        {t('logs.copy')}
      </button>
      {head === undefined ? null : (
        <a href={`#/logs?${formatLogsQuery({ ...model.query.value, ...UNBOUND, at: head })}`}>{t('logs.link')}</a>
      )}
      <a href={downloadUrl(model, times)} download>
        {t('logs.downloadRange')}
      </a>
      <button type="button" onClick={() => actions.clear()} aria-label={t('logs.clear')}>
        ✕
      </button>
    </div>
  );
}

function selectedText(count: number): string {
  return count === 1 ? t('logs.selectedOne') : t('logs.selected', { n: count });
}

const UNBOUND = { since: null, until: null } as const;

/** Returns the address of a file with the lines that pass the filter, of a span or of all times. */
export function downloadUrl(
  model: LogsModel,
  span: readonly [since: number | undefined, until: number | undefined] | null,
): string {
  const { names, streams, since, until, level } = model.query.value;
  return apiUrl('logs/download', {
    names,
    streams,
    since: span === null ? since : span[0],
    until: span === null ? until : span[1],
    ...matcherOf(model.filter.value)?.query,
    level,
    timestamps: logSettings.value.times === 'none' ? undefined : true,
  });
}
