/**
 * The window over the rows of a pane: only the rows on the screen, and some around them, are in the page. It follows
 * the end only while it is at the end. Otherwise the first visible row, the anchor, stays in its place, whatever comes,
 * leaves or gets another height.
 */
import { effect } from '@preact/signals';
import { Component, createRef } from 'preact';
import { t } from '../texts.ts';
import type { LinePane } from './line-pane.ts';
import { LogRow, type RowStyle } from './log-row.tsx';
import { MeasuredHeights, type RowHeights, UniformHeights } from './row-heights.ts';
import { SHOWN_CHARACTERS } from './row-pieces.ts';
import type { Row } from './row.ts';

/** Height of a row in pixels, and of the notice before the first one. The style sheet has the same numbers. */
export const ROW_PIXELS = 20;
const HEAD_PIXELS = 32;

/** Rows in the page before and after those on the screen. */
const OVERSCAN = 15;

/** Maximum number of rows in the page, whatever the size of the screen is. */
const MAX_SHOWN = 250;

/** Pixels of a character, to guess the height of a row before it is measured. */
const CHARACTER_PIXELS = 7.5;

/** Repetitions of drawing and measuring. */
const MAX_PASSES = 4;

/** Properties of {@link RowWindow}. */
export interface RowWindowProps {
  /** Gives the window to its owner. Components have no `ref` in Preact 11. */
  readonly onMount: (shown: RowWindow) => void;
  readonly pane: LinePane;
  readonly label: string;
  readonly isWrapped: boolean;
  readonly style: RowStyle;
  /** Classes of a row by its position. Its identity changes if a result has changed. */
  readonly stateOf: (position: number) => string;
  readonly onClick: (event: MouseEvent, position: number) => void;
  readonly onFocus: () => void;
  /** Tells about the first visible row after a person has scrolled. */
  readonly onScrolled: (pane: LinePane) => void;
  readonly onEarlier: () => void;
  /** Null while lines before the first row may still be on the server. */
  readonly head: string | null;
  readonly empty: string;
}

/** A scrolling list of rows. */
export class RowWindow extends Component<RowWindowProps> {
  readonly #scroller = createRef<HTMLDivElement>();
  readonly #rows = createRef<HTMLDivElement>();
  #heights: RowHeights = new UniformHeights(ROW_PIXELS);
  /** Properties that the heights were made for. */
  #heightsKey = '';
  #size = { width: 800, height: 600 };
  #top = 0;
  /** Place that this class has set: an event about it is not from a person. */
  #set = -1;
  #passes = 0;
  #dispose: Array<() => void> = [];

  override componentDidMount(): void {
    this.props.onMount(this);
    const scroller = this.#scroller.current as HTMLDivElement;
    const observer = new ResizeObserver(() => {
      this.#size = { width: scroller.clientWidth, height: scroller.clientHeight };
      this.forceUpdate();
    });
    observer.observe(scroller);
    let isFirst = true;
    this.#dispose = [
      () => observer.disconnect(),
      effect(() => {
        void this.props.pane.version.value;
        if (!isFirst) this.forceUpdate();
        isFirst = false;
      }),
    ];
    this.#size = { width: scroller.clientWidth, height: scroller.clientHeight };
    this.forceUpdate();
  }

  override componentWillUnmount(): void {
    for (const dispose of this.#dispose) dispose();
  }

  override componentDidUpdate(): void {
    const scroller = this.#scroller.current;
    if (scroller === null) return;
    if (this.#measure() && this.#passes < MAX_PASSES) {
      this.#passes++;
      this.forceUpdate();
      return;
    }
    this.#passes = 0;
    const wanted = this.#wantedTop();
    if (Math.abs(scroller.scrollTop - wanted) > 1) scroller.scrollTop = wanted;
    this.#set = scroller.scrollTop;
    this.#top = this.#set;
  }

  /** Scrolls so that a row is in the middle of the screen. */
  reveal(position: number): void {
    const { pane } = this.props;
    pane.follow(false);
    this.#prepare();
    const index = pane.view.indexOf(position);
    const top = HEAD_PIXELS + this.#heights.offsetOf(index);
    if (top >= this.#top + ROW_PIXELS && top <= this.#top + this.#size.height - 2 * ROW_PIXELS) {
      this.forceUpdate();
      return;
    }
    this.#anchorAt(Math.max(0, top - this.#size.height / 2));
    this.forceUpdate();
  }

  /** Scrolls so that the row at a position is the first one. */
  align(position: number): void {
    this.#prepare();
    this.props.pane.anchor = { position, pixels: 0 };
    this.forceUpdate();
  }

  /** Scrolls to the first row. */
  toStart(): void {
    this.props.pane.follow(false);
    this.props.pane.anchor = null;
    this.forceUpdate();
  }

  /** Puts the keyboard here. */
  focus(): void {
    this.#scroller.current?.focus({ preventScroll: true });
  }

  override render({
    pane,
    label,
    isWrapped,
    style,
    head,
    empty,
    onEarlier,
    stateOf,
    onClick,
    onFocus,
  }: RowWindowProps) {
    this.#prepare();
    const top = this.#wantedTop();
    const { start } = pane.view;
    const { end } = pane;
    const from = Math.max(start, this.#heights.indexAt(top - HEAD_PIXELS) - OVERSCAN);
    const last = this.#heights.indexAt(top - HEAD_PIXELS + this.#size.height) + OVERSCAN;
    const to = Math.min(end, last + 1, from + MAX_SHOWN);
    const total = HEAD_PIXELS + this.#heights.total;
    const offset = HEAD_PIXELS + this.#heights.offsetOf(from);
    const isQuiet = pane.isFast.value || !pane.isFollowing.value;
    const rows = [];
    for (let index = from; index < to; index++) {
      const position = pane.view.positionAt(index);
      const row = position === undefined ? undefined : pane.ring.at(position);
      if (position === undefined || row === undefined) continue;
      const gap = pane.view.isAfterGap(index) ? ' gap' : '';
      const around = pane.view.isContext(position) ? ' around' : '';
      rows.push(
        <LogRow
          key={position}
          row={row}
          position={position}
          style={style}
          text={row.text}
          isWhole={pane.whole.has(row)}
          isSwitched={pane.switched.has(row)}
          state={`${stateOf(position)}${gap}${around}`.trim()}
          onWhole={this.#showWhole}
          onSwitch={this.#switch}
        />,
      );
    }
    return (
      <div
        ref={this.#scroller}
        class={`rows${isWrapped ? ' wrapped' : ''}`}
        role="log"
        aria-label={label}
        aria-live={isQuiet ? 'off' : 'polite'}
        tabIndex={0}
        onScroll={this.#scrolled}
        onFocus={onFocus}
        onClick={(event) => {
          const position = positionOf(event.target);
          if (position !== null) onClick(event, position);
        }}
      >
        <div class="logsheet" style={{ height: `${total}px` }}>
          <div class="loghead">
            {head === null ? (
              <button type="button" class="mini" onClick={onEarlier}>
                {t('logs.earlier')}
              </button>
            ) : (
              head
            )}
          </div>
          {end === start ? <p class="empty">{empty}</p> : null}
          <div ref={this.#rows} class="shown" style={{ transform: `translateY(${offset}px)` }}>
            {rows}
          </div>
        </div>
      </div>
    );
  }

  /** Brings the heights up to the rows of the pane. */
  #prepare(): void {
    const { pane, isWrapped, style } = this.props;
    const { view } = pane;
    const key = isWrapped
      ? [view.generation, this.#size.width, style.times, style.nameWidth, style.isRaw, view.isFiltered].join(' ')
      : String(view.generation);
    if (key !== this.#heightsKey || (isWrapped && this.#view !== view)) {
      this.#heightsKey = key;
      this.#heights = isWrapped ? new MeasuredHeights(this.#guess()) : new UniformHeights(ROW_PIXELS);
    }
    this.#view = view;
    this.#heights.resize(view.start, pane.end);
  }

  #view: unknown = null;

  /** Makes a function that guesses the height of a row from the number of its characters. */
  #guess(): (index: number) => number {
    const { pane, style } = this.props;
    const before = (style.times === 'none' ? 0 : 20) + style.nameWidth;
    const columns = Math.max(10, Math.floor((this.#size.width - 20) / CHARACTER_PIXELS));
    return (index) => {
      const position = pane.view.positionAt(index);
      const length = (position === undefined ? undefined : pane.ring.at(position))?.text.length ?? 0;
      return Math.ceil((before + Math.min(length, SHOWN_CHARACTERS)) / columns) * ROW_PIXELS;
    };
  }

  /** Measures the rows in the page. Returns true if the height of any of them has changed. */
  #measure(): boolean {
    const { pane, isWrapped } = this.props;
    if (!isWrapped) return false;
    let hasChanged = false;
    for (const element of this.#rows.current?.children ?? []) {
      const position = positionOf(element);
      if (position === null) continue;
      const { height } = element.getBoundingClientRect();
      if (this.#heights.measure(pane.view.indexOf(position), height)) hasChanged = true;
    }
    return hasChanged;
  }

  /** Returns the place to be at: the end, or the place of the anchor. */
  #wantedTop(): number {
    const { pane } = this.props;
    const largest = Math.max(0, HEAD_PIXELS + this.#heights.total - this.#size.height);
    if (pane.isFollowing.value) return largest;
    if (pane.anchor === null) return 0;
    const { position, pixels } = pane.anchor;
    const index = pane.view.indexOf(position);
    const isThere = pane.view.positionAt(index) === position;
    return Math.min(largest, Math.max(0, HEAD_PIXELS + this.#heights.offsetOf(index) + (isThere ? pixels : 0)));
  }

  /** Remembers the row at a place as the anchor. */
  #anchorAt(top: number): void {
    const { pane } = this.props;
    const index = this.#heights.indexAt(top - HEAD_PIXELS);
    const position = pane.view.positionAt(index);
    // Above the first row is the notice: the place is then the beginning.
    pane.anchor =
      position === undefined || top <= 0
        ? null
        : { position, pixels: top - HEAD_PIXELS - this.#heights.offsetOf(index) };
  }

  readonly #scrolled = (): void => {
    const scroller = this.#scroller.current;
    const { pane, onScrolled } = this.props;
    if (scroller === null || Math.abs(scroller.scrollTop - this.#set) < 1) return;
    const top = scroller.scrollTop;
    const isUp = top < this.#top;
    this.#top = top;
    this.#set = -1;
    const isAtEnd = top + scroller.clientHeight >= scroller.scrollHeight - ROW_PIXELS / 2;
    this.#anchorAt(top);
    if (isUp && !isAtEnd) pane.follow(false);
    else if (isAtEnd && !pane.isPaused.value) pane.follow(true);
    onScrolled(pane);
    this.forceUpdate();
  };

  readonly #showWhole = (row: Row): void => {
    this.props.pane.whole.add(row);
    this.forceUpdate();
  };

  readonly #switch = (row: Row): void => {
    const { switched } = this.props.pane;
    if (!switched.delete(row)) switched.add(row);
    this.forceUpdate();
  };
}

/** Returns the position of the row that an element belongs to. */
function positionOf(target: EventTarget | null): number | null {
  const row = target instanceof Element ? target.closest('[data-at]') : null;
  return row === null ? null : Number(row.getAttribute('data-at'));
}
