/** One column of the log view: its title, its lines, and the button that leads back to the end. */
import { t } from '../texts.ts';
import { boundsOf } from './line-range.ts';
import { MAX_ROWS } from './line-ring.ts';
import type { RowStyle } from './log-row.tsx';
import type { Column, LogsModel } from './logs-model.ts';
import { RowWindow } from './row-window.tsx';

/** Properties of {@link LogColumn}. */
export interface LogColumnProps {
  readonly model: LogsModel;
  readonly column: Column;
  readonly index: number;
  readonly isWrapped: boolean;
  readonly style: RowStyle;
  readonly onWindow: (shown: RowWindow) => void;
  readonly onClick: (event: MouseEvent, position: number) => void;
  readonly onScrolled: () => void;
  readonly onFollow: () => void;
}

/** Shows a column. */
export function LogColumn(props: LogColumnProps) {
  const { model, column, index, isWrapped, style, onWindow, onClick, onScrolled, onFollow } = props;
  const { pane, names } = column;
  // The numbers of the notices change with the picture.
  void pane.version.value;
  const title = names.length === 0 ? t('logs.all') : names.join(', ');
  const isActive = model.active.value === index;
  const selection = model.selection.value;
  const bounds = selection?.column === index ? boundsOf(selection) : null;
  const found = isActive ? model.found.value : null;
  const stateOf = (position: number): string => {
    const isSelected = bounds !== null && position >= bounds[0] && position <= bounds[1];
    const isHead = bounds !== null && position === selection?.head;
    return `${isSelected ? 'selected ' : ''}${isHead ? 'current ' : ''}${position === found ? 'hit' : ''}`.trim();
  };
  const { evicted, first } = pane.ring;
  const problem = pane.problem.value;
  return (
    <section class={`column${isActive ? ' active' : ''}`} aria-label={t('logs.linesOf', { name: title })}>
      {model.columns.value.length > 1 ? <h2>{title}</h2> : null}
      {problem === null ? null : <p class="problem">{t('logs.failed', { reason: problem })}</p>}
      <RowWindow
        key={index}
        onMount={onWindow}
        pane={pane}
        label={t('logs.linesOf', { name: title })}
        isWrapped={isWrapped}
        style={style}
        stateOf={stateOf}
        onClick={onClick}
        onFocus={() => (model.active.value = index)}
        onScrolled={onScrolled}
        onEarlier={() => void model.loadEarlier(column)}
        head={headOf({ evicted, isEmpty: first === pane.ring.end, isComplete: !hasEarlier(model, column) })}
        empty={t(pane.view.isFiltered ? 'logs.noMatch' : 'logs.waiting')}
      />
      {pane.isFollowing.value || !model.isLive ? null : (
        <button type="button" class="new primary" onClick={onFollow}>
          {newText(pane.unseen)} ↓
        </button>
      )}
    </section>
  );
}

function newText(count: number): string {
  if (count === 0) return t('logs.end');
  return count === 1 ? t('logs.newOne') : t('logs.new', { n: count.toLocaleString('en') });
}

/** True if the server may have lines before the first one. A span has all of its lines. */
function hasEarlier(model: LogsModel, { feed }: Column): boolean {
  const { since, until } = model.query.value;
  return since === null && until === null && !model.complete.value.has(feed);
}

/** Returns the notice before the first row; null for the button that loads earlier lines. */
function headOf({
  evicted,
  isEmpty,
  isComplete,
}: {
  readonly evicted: number;
  readonly isEmpty: boolean;
  readonly isComplete: boolean;
}): string | null {
  if (evicted > 0) return t('logs.evicted', { n: evicted.toLocaleString('en'), max: MAX_ROWS.toLocaleString('en') });
  if (isEmpty) return '';
  return isComplete ? t('logs.beginning') : null;
}
