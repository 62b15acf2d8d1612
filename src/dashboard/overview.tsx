/** The view of all programs: counts, problems first, and a table by groups. */
import { computed, signal } from '@preact/signals';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { toneOf } from '../ctl/process-status.ts';
import { askRestart, askStop, start, type Target } from './actions.ts';
import { Icon } from './icons.tsx';
import {
  type Choice,
  countChoices,
  type Group,
  groupsOf,
  isChosen,
  isFound,
  isProblem,
  isUp,
} from './overview-rows.ts';
import { ProcessRow, reasonAt, RowButtons, SYMBOLS } from './process-row.tsx';
import { logsHref, programHref } from './routes.ts';
import { choice, filter, selected, toggleSelected } from './selection.ts';
import { canAct, clock, store } from './session.ts';
import { folded } from './settings.ts';
import type { ProcessEntry } from './store.ts';
import { t } from './texts.ts';

const CHOICES: readonly Choice[] = ['all', 'problems', 'running', 'down'];

const counts = computed(() => countChoices(store.entries.value.map(({ status }) => status.value)));

/** Number of programs that a person should look at. */
export const problemCount = computed(() => counts.value.problems);

/** True while the pointer is over rows. Then none of them moves, so that a click meets the row it was meant for. */
const isPointed = signal(false);
let shownProblems: readonly ProcessEntry[] = [];

const problems = computed(() => {
  const found = store.entries.value.filter(({ status }) => isProblem(status.value));
  if (!isPointed.value) shownProblems = found;
  return shownProblems;
});

const groups = computed(() => {
  const isAll = choice.value === 'all' && filter.value.trim() === '';
  const shown = store.entries.value.filter(
    ({ status }) => isAll || (isChosen(status.value, choice.value) && isFound(status.value, filter.value)),
  );
  return groupsOf(shown);
});

/** Shows all programs. */
export function Overview() {
  const isEmpty = store.entries.value.length === 0;
  // A view that is left has no pointer.
  useEffect(() => () => void (isPointed.value = false), []);
  return (
    <>
      <h1 class="hidden">{t('nav.overview')}</h1>
      <Toolbar />
      {isEmpty && <p class="empty">{store.supervisorState.value === '' ? t('app.loading') : t('list.empty')}</p>}
      {!isEmpty && (
        <div
          onPointerEnter={({ pointerType }) => (isPointed.value = pointerType === 'mouse')}
          onPointerLeave={() => (isPointed.value = false)}
        >
          <Problems />
          <ProcessTable />
        </div>
      )}
    </>
  );
}

function Toolbar() {
  return (
    <div class="toolbar">
      <div class="chips" role="group" aria-label={t('list.show')}>
        {CHOICES.map((name) => (
          <button
            key={name}
            type="button"
            class={`chip chip-${name}${counts.value[name] === 0 ? ' zero' : ''}`}
            aria-pressed={choice.value === name}
            onClick={() => (choice.value = name)}
          >
            {t(`list.${name}`)} <b>{counts.value[name]}</b>
          </button>
        ))}
      </div>
      <input
        type="search"
        id="filter"
        value={filter}
        placeholder={t('list.filter')}
        aria-label={t('list.filter')}
        onInput={({ currentTarget }) => (filter.value = currentTarget.value)}
      />
      {canAct.value && <Bulk />}
    </div>
  );
}

/** Buttons for the selected processes, or for all. */
function Bulk() {
  const names = [...selected.value].filter((name) => store.find(name) !== undefined);
  const count = names.length === 0 ? store.entries.value.length : names.length;
  const oneName = names.length === 1 ? (names[0] ?? '') : t('list.selected', { n: count });
  const label = names.length === 0 ? t('act.all') : oneName;
  const target: Target = {
    names: names.length === 0 ? ['*'] : names,
    label,
    count,
  };
  return (
    <div class="bulk" role="group" aria-label={label}>
      <span>{label}</span>
      <TargetButtons target={target} />
      {names.length > 0 && (
        <>
          <a class="button" href={logsHref(names)}>
            {t('nav.logs')}
          </a>
          <button type="button" onClick={() => (selected.value = new Set())}>
            {t('list.clear')}
          </button>
        </>
      )}
    </div>
  );
}

function TargetButtons({ target }: { readonly target: Target }) {
  const { label: name } = target;
  return (
    <>
      <button type="button" class="quiet" aria-label={t('act.start.of', { name })} onClick={() => start(target)}>
        <Icon name="start" />
      </button>
      <button type="button" class="quiet" aria-label={t('act.stop.of', { name })} onClick={() => askStop(target)}>
        <Icon name="stop" />
      </button>
      <button type="button" class="quiet" aria-label={t('act.restart.of', { name })} onClick={() => askRestart(target)}>
        <Icon name="restart" />
      </button>
    </>
  );
}

function Problems() {
  if (problems.value.length === 0 || choice.value !== 'all') return null;
  return (
    <section class="problems" aria-labelledby="problems-title">
      <h2 id="problems-title">{t('list.problems')}</h2>
      <ul>
        {problems.value.map((entry) => (
          <Problem key={entry.name} entry={entry} />
        ))}
      </ul>
    </section>
  );
}

function Problem({ entry }: { readonly entry: ProcessEntry }) {
  const { name, status } = entry;
  const tone = toneOf(status.value);
  return (
    <li data-name={name}>
      <span class={`tone ${tone}`}>
        <span aria-hidden="true">{SYMBOLS[tone]}</span> <span>{status.value.info.statename}</span>
      </span>
      <a href={programHref(name)} data-row>
        {name}
      </a>
      <span class="why">{reasonAt(entry, clock.value)}</span>
      <span class="actions">
        <a class="button quiet" href={logsHref([name])} aria-label={t('act.logs.of', { name })}>
          <Icon name="logs" />
        </a>
        {canAct.value && <RowButtons entry={entry} />}
      </span>
    </li>
  );
}

function ProcessTable() {
  const shown = groups.value.flatMap(({ entries }) => entries.map(({ name }) => name));
  const areAll = shown.length > 0 && shown.every((name) => selected.value.has(name));
  return (
    <div class="table">
      <table aria-label={t('list.programs')}>
        <thead>
          <tr>
            {canAct.value && (
              <th scope="col" class="check">
                <input
                  type="checkbox"
                  aria-label={t('list.selectAll')}
                  checked={areAll}
                  onChange={() => toggleSelected(shown)}
                />
              </th>
            )}
            {/* The layout of the table is fixed: otherwise each change of a text measures the cells of all rows. */}
            <th scope="col" class="name" style={{ width: `min(${nameWidth(shown)}px, 30vw)` }}>
              {t('col.name')}
            </th>
            <th scope="col" class="state">
              {t('col.state')}
            </th>
            <th scope="col" class="number uptime">
              {t('col.uptime')}
            </th>
            <th scope="col" class="number restarts">
              {t('col.restarts')}
            </th>
            <th scope="col" class="number usage">
              {t('col.cpu')}
            </th>
            <th scope="col" class="number usage">
              {t('col.memory')}
            </th>
            <th scope="col" class="why">
              {t('col.why')}
            </th>
            {canAct.value && (
              <th scope="col" class="actions">
                <span class="hidden">{t('col.actions')}</span>
              </th>
            )}
          </tr>
        </thead>
        {groups.value.map((group) => (
          <GroupRows key={group.name} group={group} />
        ))}
      </table>
      {groups.value.length === 0 && <p class="empty">{t('list.none')}</p>}
    </div>
  );
}

/** The column of names: bounds in characters, and pixels of a bold character and of the space around a name. */
const NAMES = { least: 8, most: 40, character: 9.5, around: 46 } as const;

/** Returns the width of the column of names in pixels. */
function nameWidth(names: readonly string[]): number {
  const longest = names.reduce((most, name) => Math.max(most, name.length - name.indexOf(':') - 1), 0);
  return Math.min(Math.max(longest, NAMES.least), NAMES.most) * NAMES.character + NAMES.around;
}

/** Rows of a group that one frame may add: 300 at once take longer than a tenth of a second. */
const ROWS_OF_FRAME = 10;

/** Returns the number of rows to show, which grows by frames. */
function useGrowing(total: number): number {
  const [count, setCount] = useState(ROWS_OF_FRAME);
  useEffect(() => {
    if (count > total) setCount(Math.max(ROWS_OF_FRAME, total));
    if (count >= total) return undefined;
    const frame = requestAnimationFrame(() => setCount(count + ROWS_OF_FRAME));
    return () => cancelAnimationFrame(frame);
  }, [count, total]);
  return count;
}

function GroupRows({ group }: { readonly group: Group }) {
  const { name, entries, hasHead } = group;
  const isFolded = hasHead && folded.value.includes(name);
  const count = useGrowing(isFolded ? 0 : entries.length);
  return (
    <tbody>
      {hasHead && <GroupHead group={group} isFolded={isFolded} />}
      {!isFolded &&
        entries.slice(0, count).map((entry) => <ProcessRow key={entry.name} entry={entry} isMember={hasHead} />)}
    </tbody>
  );
}

/** Folds a group, or unfolds it. */
export function toggleFold(name: string): void {
  const names = folded.value;
  folded.value = names.includes(name) ? names.filter((other) => other !== name) : [...names, name];
}

function GroupHead({ group, isFolded }: { readonly group: Group; readonly isFolded: boolean }) {
  const { name, entries } = group;
  const names = entries.map((entry) => entry.name);
  const up = useMemo(() => computed(() => entries.filter(({ status }) => isUp(status.value)).length), [entries]);
  const worst = useMemo(() => computed(() => entries.some(({ status }) => isProblem(status.value))), [entries]);
  const target: Target = {
    names: [`${name}:*`],
    label: `${name} (${entries.length})`,
    count: entries.length,
  };
  return (
    <tr class="group" data-group={name}>
      {canAct.value && (
        <td class="check">
          <input
            type="checkbox"
            aria-label={t('list.select', { name })}
            checked={names.every((one) => selected.value.has(one))}
            onChange={() => toggleSelected(names)}
          />
        </td>
      )}
      <th scope="rowgroup" colSpan={7}>
        <button type="button" class="fold" data-row aria-expanded={!isFolded} onClick={() => toggleFold(name)}>
          <Icon name="fold" /> {name}
        </button>{' '}
        <span class={worst.value ? 'tone bad' : 'muted'}>
          {worst.value && <span aria-hidden="true">✗ </span>}
          {t('list.groupCount', { up: up.value, n: entries.length })}
        </span>
      </th>
      {canAct.value && (
        <td class="actions">
          <TargetButtons target={target} />
          <a class="button quiet" href={logsHref([`${name}:*`])} aria-label={t('act.logs.of', { name })}>
            <Icon name="logs" />
          </a>
        </td>
      )}
    </tr>
  );
}
