/** The tools above the lines: programs, filter, level, times, and the buttons. */
import type { ComponentChildren, Ref } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { levels, parseLevel } from '../../core/line-level.ts';
import { t, type TextKey } from '../texts.ts';
import { changeSettings, logSettings } from './log-settings.ts';
import type { LogsModel } from './logs-model.ts';
import { MAX_COLUMNS, MAX_CONTEXT } from './logs-query.ts';
import type { Matcher } from './matcher.ts';
import { TIME_FORMS, type TimeForm } from './times.ts';

/** Names that the list of programs shows at most. */
const MAX_LISTED = 200;

/** Time after the last key until a text is searched. */
const TYPING_MS = 150;

const TIME_TEXTS: Readonly<Record<TimeForm, TextKey>> = { local: 'logs.local', utc: 'logs.utc', none: 'logs.noTimes' };

/** Properties of {@link LogsToolbar}. */
export interface ToolbarProps {
  readonly model: LogsModel;
  readonly programs: readonly string[];
  readonly filterField: Ref<HTMLInputElement>;
  readonly onFind: () => void;
  readonly onFiles: () => void;
  readonly onPause: () => void;
  readonly download: string;
}

/** Shows the tools. */
export function LogsToolbar({ model, programs, filterField, onFind, onFiles, onPause, download }: ToolbarProps) {
  const query = model.query.value;
  const { isWrapped, times, isRaw } = logSettings.value;
  const pane = model.column?.pane;
  const isPaused = pane?.isPaused.value === true;
  return (
    <div class="logtools" role="group" aria-label={t('logs.tools')}>
      <ProgramChooser model={model} programs={programs} />
      <TextField
        label={t('logs.filter')}
        value={query.filter}
        problem={model.filter.value}
        field={filterField}
        onText={(filter) => model.change({ filter })}
      />
      <select
        aria-label={t('logs.level')}
        value={query.level ?? ''}
        onChange={(event) => model.change({ level: parseLevel(event.currentTarget.value) })}
      >
        <option value="">{t('logs.anyLevel')}</option>
        {levels.map((level) => (
          <option key={level} value={level}>{`≥ ${level}`}</option>
        ))}
      </select>
      {model.isLive ? (
        <button type="button" aria-pressed={isPaused} onClick={onPause}>
          {t(isPaused ? 'logs.resume' : 'logs.pause')}
        </button>
      ) : null}
      <button type="button" onClick={onFind}>
        {t('logs.find')}
      </button>
      <Toggle label="logs.wrap" isOn={isWrapped} onChange={(isOn) => changeSettings({ isWrapped: isOn })} />
      <Menu label={t('logs.more')}>
        <label>
          {t('logs.times')}
          <select
            value={times}
            onChange={({ currentTarget: { value } }) =>
              changeSettings({ times: TIME_FORMS.find((form) => form === value) ?? 'local' })
            }
          >
            {TIME_FORMS.map((form) => (
              <option key={form} value={form}>
                {t(TIME_TEXTS[form])}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t('logs.streams')}
          <select
            value={query.streams.length === 1 ? query.streams[0] : ''}
            onChange={({ currentTarget: { value } }) => model.change({ streams: value === '' ? [] : [value] })}
          >
            <option value="">{t('logs.both')}</option>
            <option>stdout</option>
            <option>stderr</option>
          </select>
        </label>
        <label>
          {t('logs.context')}
          <input
            type="number"
            min="0"
            max={MAX_CONTEXT}
            value={query.context}
            onInput={({ currentTarget: { value } }) =>
              model.change({ context: Math.min(MAX_CONTEXT, Math.max(0, Math.floor(Number(value)) || 0)) })
            }
          />
        </label>
        <TextField
          label={t('logs.highlight')}
          value={query.highlight}
          problem={model.highlight.value}
          onText={(highlight) => model.change({ highlight })}
        />
        <Toggle label="logs.raw" isOn={isRaw} onChange={(isOn) => changeSettings({ isRaw: isOn })} />
        <button type="button" onClick={onFiles}>
          {t('logs.files')}
        </button>
        <a href={download} download title={t('logs.downloadHelp')}>
          {t('logs.download')}
        </a>
      </Menu>
    </div>
  );
}

/** A switch with a word. */
function Toggle({
  label,
  isOn,
  onChange,
}: {
  readonly label: TextKey;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
}) {
  return (
    <label class="toggle">
      <input type="checkbox" checked={isOn} onChange={(event) => onChange(event.currentTarget.checked)} />
      {t(label)}
    </label>
  );
}

/** A field for a search text. The text is used when the person has stopped to type. */
export function TextField({
  label,
  value,
  problem,
  field,
  onText,
  onEnter,
}: {
  readonly label: string;
  readonly value: string;
  readonly problem: Matcher | string | null;
  readonly field?: Ref<HTMLInputElement>;
  readonly onText: (text: string) => void;
  readonly onEnter?: (isBack: boolean) => void;
}) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const reason = typeof problem === 'string' ? t('logs.badPattern', { reason: problem }) : '';
  return (
    <input
      ref={field ?? null}
      type="search"
      aria-label={label}
      aria-invalid={reason !== ''}
      title={reason === '' ? t('logs.filterHelp') : reason}
      placeholder={label}
      value={value}
      onInput={({ currentTarget }) => {
        clearTimeout(timer.current);
        timer.current = setTimeout(() => onText(currentTarget.value), TYPING_MS);
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Enter') return;
        event.preventDefault();
        clearTimeout(timer.current);
        onText(event.currentTarget.value);
        onEnter?.(event.shiftKey);
      }}
    />
  );
}

/** A button that opens a panel. A click elsewhere and Escape close it. */
function Menu({ label, children }: { readonly label: string; readonly children: ComponentChildren }) {
  const box = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event): void => {
      const details = box.current;
      if (details?.open !== true || (event.target instanceof Node && details.contains(event.target))) return;
      details.open = false;
    };
    document.addEventListener('pointerdown', close);
    document.addEventListener('focusin', close);
    return () => {
      document.removeEventListener('pointerdown', close);
      document.removeEventListener('focusin', close);
    };
  }, []);
  return (
    <details
      ref={box}
      class="menu"
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || box.current?.open !== true) return;
        event.preventDefault();
        event.stopPropagation();
        box.current.open = false;
        box.current.querySelector('summary')?.focus();
      }}
    >
      <summary>{label}</summary>
      <div class="panel">{children}</div>
    </details>
  );
}

/** The list of programs with a box for each. */
function ProgramChooser({ model, programs }: { readonly model: LogsModel; readonly programs: readonly string[] }) {
  const [search, setSearch] = useState('');
  const { names, isSplit, isSynchronised } = model.query.value;
  const chosen = new Set(names);
  const listed = [...new Set([...names, ...programs])].filter((name) => name.includes(search)).slice(0, MAX_LISTED);
  const label = ((): string => {
    if (names.length === 0) return t('logs.all');
    return names.length <= 2 ? names.join(', ') : t('logs.programsN', { n: names.length });
  })();
  const toggle = (name: string): void =>
    model.change({ names: chosen.has(name) ? names.filter((one) => one !== name) : [...names, name] });
  return (
    <Menu label={label}>
      <input
        type="search"
        aria-label={t('logs.search')}
        placeholder={t('logs.search')}
        value={search}
        onInput={(event) => setSearch(event.currentTarget.value)}
      />
      <div class="names-list" role="group" aria-label={t('logs.programs')}>
        <label class="toggle">
          <input type="checkbox" checked={names.length === 0} onChange={() => model.change({ names: [] })} />
          {t('logs.all')}
        </label>
        {listed.map((name) => (
          <label key={name} class="toggle">
            <input type="checkbox" checked={chosen.has(name)} onChange={() => toggle(name)} />
            {name}
          </label>
        ))}
      </div>
      <label class="toggle" title={t('logs.columnsHelp', { n: MAX_COLUMNS })}>
        <input
          type="checkbox"
          checked={isSplit}
          onChange={(event) => model.change({ isSplit: event.currentTarget.checked })}
        />
        {t('logs.columns')}
      </label>
      {isSplit ? (
        <label class="toggle">
          <input
            type="checkbox"
            checked={isSynchronised}
            onChange={(event) => model.change({ isSynchronised: event.currentTarget.checked })}
          />
          {t('logs.sync')}
        </label>
      ) : null}
    </Menu>
  );
}
