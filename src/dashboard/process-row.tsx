/** A row of the overview. Its cells are signals: a change replaces texts in place and keeps the row and its focus. */
import { computed, type ReadonlySignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { formatBytes, formatShort } from '../ctl/amounts.ts';
import { readinessOf, reasonOf, toneOf } from '../ctl/process-status.ts';
import { askRestart, askStop, menu, start, type Target } from './actions.ts';
import { Icon } from './icons.tsx';
import { canStop, sparkPath } from './overview-rows.ts';
import { programHref } from './routes.ts';
import { selected, toggleSelected } from './selection.ts';
import { canAct, clock } from './session.ts';
import { type ProcessEntry, SAMPLES } from './store.ts';
import { t } from './texts.ts';
import { useVisible } from './visible.ts';

/** Symbols that say the same as the colours. */
export const SYMBOLS = { good: '●', busy: '◐', bad: '✗', idle: '○' } as const;

/** CPU in percent below which a sparkline stays flat. */
const LEAST_CPU = 5;

/**
 * Makes the texts of a row. Ages and usage change each second or two. Outside of the screen they change only with the
 * state: to lay out the texts of 300 rows took 50 ms each second.
 */
function cellsOf(entry: ProcessEntry, isVisible: ReadonlySignal<boolean>) {
  const { status, usage } = entry;
  const now = (): number => (isVisible.value ? clock.value : clock.peek());
  const usageNow = () => (isVisible.value ? usage.value : status.value.info.pid !== 0 && usage.peek()) || null;
  const tone = computed(() => toneOf(status.value));
  return {
    tone,
    toneClass: computed(() => `tone ${tone.value}`),
    symbol: computed(() => SYMBOLS[tone.value]),
    state: computed(() => status.value.info.statename),
    ready: computed(() => readinessOf(status.value)),
    flapping: computed(() => (status.value.isFlapping ? t('word.flapping') : '')),
    restarts: computed(() => String(status.value.restarts ?? '')),
    uptime: computed(() => {
      const { info } = status.value;
      return info.pid === 0 ? '' : formatShort(now() - info.start * 1000);
    }),
    cpu: computed(() => {
      const percent = usageNow()?.cpu ?? null;
      return percent === null ? '' : `${percent}%`;
    }),
    memory: computed(() => {
      const bytes = usageNow()?.memory ?? null;
      return bytes === null ? '' : formatBytes(bytes);
    }),
    why: computed(() => reasonAt(entry, now())),
  };
}

/** The reason of the state, with ages as of a time. */
export function reasonAt({ status }: ProcessEntry, nowMs: number): string {
  const known = status.value;
  return reasonOf({ ...known, nowMs: Math.max(known.nowMs, nowMs) });
}

/** Makes the target of actions on one process. */
export function targetOf(name: string): Target {
  return { names: [name], label: name, count: 1 };
}

/** Starts a process that is down; asks and then stops one that is up. */
export function startOrStop(entry: ProcessEntry): void {
  const target = targetOf(entry.name);
  if (canStop(entry.status.peek())) askStop(target);
  else start(target);
}

/** Shows one process. */
export function ProcessRow({ entry, isMember }: { readonly entry: ProcessEntry; readonly isMember: boolean }) {
  const { name } = entry;
  const isSelected = useMemo(() => computed(() => selected.value.has(name)), [name]);
  const [row, isVisible] = useVisible<HTMLTableRowElement>();
  const cells = useMemo(() => cellsOf(entry, isVisible), [entry]);
  const paths = useMemo(() => {
    const pathOf = (values: () => readonly number[], least: number) =>
      computed(() => (isVisible.value ? sparkPath(values(), SAMPLES, { least }) : ''));
    return {
      cpu: pathOf(() => entry.samples.value.map(({ cpu }) => cpu), LEAST_CPU),
      memory: pathOf(() => entry.samples.value.map(({ memory }) => memory), 0),
    };
  }, [entry]);
  return (
    <tr ref={row} data-name={name} class={isMember ? 'member' : ''}>
      {canAct.value && (
        <td class="check">
          <input
            type="checkbox"
            aria-label={t('list.select', { name })}
            checked={isSelected}
            onChange={() => toggleSelected([name])}
          />
        </td>
      )}
      <th scope="row" class="name">
        <a href={programHref(name)} data-row>
          {isMember ? name.slice(name.indexOf(':') + 1) : name}
        </a>
      </th>
      <td class="state">
        <span class={cells.toneClass}>
          <span aria-hidden="true">{cells.symbol}</span> <span>{cells.state}</span>
        </span>{' '}
        <span class="ready">{cells.ready}</span> <span class="flapping">{cells.flapping}</span>
      </td>
      <td class="number uptime">{cells.uptime}</td>
      <td class="number restarts">{cells.restarts}</td>
      <td class="number usage">
        <Spark path={paths.cpu} /> <span>{cells.cpu}</span>
      </td>
      <td class="number usage">
        <Spark path={paths.memory} /> <span>{cells.memory}</span>
      </td>
      <td class="why" title={cells.why}>
        {cells.why}
      </td>
      {canAct.value && (
        <td class="actions">
          <RowButtons entry={entry} />
        </td>
      )}
    </tr>
  );
}

function Spark({ path }: { readonly path: ReturnType<typeof computed<string>> }) {
  return (
    <svg class="spark" viewBox="0 0 60 16" preserveAspectRatio="none" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

/** The buttons of a process. The first one keeps its place and its focus when the process starts or stops. */
export function RowButtons({ entry }: { readonly entry: ProcessEntry }) {
  const { name } = entry;
  const canBeStopped = useMemo(() => computed(() => canStop(entry.status.value)), [entry]);
  const verb = canBeStopped.value ? 'stop' : 'start';
  return (
    <>
      <button type="button" class="quiet" aria-label={t(`act.${verb}.of`, { name })} onClick={() => startOrStop(entry)}>
        <Icon name={verb} />
      </button>
      <button
        type="button"
        class="quiet"
        aria-label={t('act.restart.of', { name })}
        onClick={() => askRestart(targetOf(name))}
      >
        <Icon name="restart" />
      </button>
      <button
        type="button"
        class="quiet"
        aria-haspopup="dialog"
        aria-label={t('act.more.of', { name })}
        onClick={() => (menu.value = targetOf(name))}
      >
        <Icon name="more" />
      </button>
    </>
  );
}
