/** One row on the screen. All texts of programs are text nodes. */
import { Component } from 'preact';
import { t } from '../texts.ts';
import type { Piece } from './ansi.ts';
import { showControls } from './ansi.ts';
import { piecesOf, type PieceWishes } from './row-pieces.ts';
import { levelOf } from './row-filter.ts';
import type { Row } from './row.ts';
import { fullTime, rowTime, type TimeForm } from './times.ts';

/** Widest column of names. */
const MAX_NAME = 24;

/** Number of colours for names. */
const NAME_COLOURS = 8;

/** The look of all rows. A new object means that all rows are drawn again. */
export interface RowStyle {
  readonly times: TimeForm;
  readonly isRaw: boolean;
  /** Characters of the column of names; 0 for none. */
  readonly nameWidth: number;
  readonly marks: PieceWishes['marks'];
  readonly language: string;
}

/** Properties of {@link LogRow}. */
export interface LogRowProps {
  readonly row: Row;
  readonly position: number;
  readonly style: RowStyle;
  /** Text of the row when it was drawn: a line may grow. */
  readonly text: string;
  readonly isWhole: boolean;
  readonly isSwitched: boolean;
  /** Classes that depend on the place of the row: selected, found, context, after a gap. */
  readonly state: string;
  readonly onWhole: (row: Row) => void;
  readonly onSwitch: (row: Row) => void;
}

/** A row that is drawn again only if it has changed. */
export class LogRow extends Component<LogRowProps> {
  override shouldComponentUpdate(next: LogRowProps): boolean {
    const { props } = this;
    return (
      next.row !== props.row ||
      next.style !== props.style ||
      next.text !== props.text ||
      next.state !== props.state ||
      next.isWhole !== props.isWhole ||
      next.isSwitched !== props.isSwitched
    );
  }

  override render({ row, position, style, state }: LogRowProps) {
    const { kind, at, stream, name } = row;
    const level = levelOf(row);
    const classes = ['row', kind, stream === 'stderr' ? 'err' : '', level === null ? '' : `lv-${level}`, state];
    return (
      <div class={classes.filter(Boolean).join(' ')} data-at={position}>
        {style.times === 'none' || kind === 'mark' ? null : (
          <span class="time" title={fullTime(at, style.times === 'utc')}>
            {`${rowTime(at, style.times, Date.now())} `}
          </span>
        )}
        {style.nameWidth > 0 && kind !== 'mark' ? (
          <span class={`name n${colourOf(name)}`}>{`${fitName(name).padEnd(style.nameWidth)} ${signOf(row)} `}</span>
        ) : null}
        {kind === 'line' ? this.#line() : <span class="text">{wordsOf(row, style.nameWidth > 0)}</span>}
      </div>
    );
  }

  #line() {
    const { row, style, isWhole, isSwitched, onWhole, onSwitch } = this.props;
    const isRaw = style.isRaw !== isSwitched;
    const { pieces, isJson, isCut } = piecesOf(row.text, { isRaw, isWhole, marks: style.marks });
    return (
      <>
        {row.isRest ? <span class="rest">… </span> : null}
        {pieces.map((piece, index) => drawPiece(piece, index))}
        {row.isOpen ? <span class="rest">…</span> : null}
        {isJson || isSwitched ? (
          <button
            type="button"
            class="mini"
            tabIndex={-1}
            title={t(isRaw ? 'logs.asReadable' : 'logs.asRaw')}
            aria-label={t(isRaw ? 'logs.asReadable' : 'logs.asRaw')}
            onClick={() => onSwitch(row)}
          >
            {'{}'}
          </button>
        ) : null}
        {isCut ? (
          <button type="button" class="mini" tabIndex={-1} onClick={() => onWhole(row)}>
            {t('logs.showAll', { n: row.text.length })}
          </button>
        ) : null}
      </>
    );
  }
}

/** Draws a piece of a line. */
export function drawPiece({ text, look, color, background }: Piece, index: number) {
  if (look === '' && color === undefined && background === undefined) return text;
  const colours =
    color === undefined && background === undefined
      ? {}
      : { style: { color: color ?? '', backgroundColor: background ?? '' } };
  return look.includes('found') || look.includes('high') ? (
    <mark key={index} class={look} {...colours}>
      {text}
    </mark>
  ) : (
    <span key={index} class={look} {...colours}>
      {text}
    </span>
  );
}

/** Cuts a long name in the middle: numbered programs differ at the end. */
export function fitName(name: string): string {
  const shown = showControls(name);
  return shown.length <= MAX_NAME ? shown : `${shown.slice(0, MAX_NAME / 2 - 1)}…${shown.slice(-MAX_NAME / 2)}`;
}

/** The sign between the name and the text, as in `onevisor logs`. */
function signOf({ kind, stream }: Row): string {
  if (kind === 'event') return '*';
  return stream === 'stderr' ? '!' : '|';
}

/** The text of an event or of a mark. */
export function wordsOf(row: Row, hasName = true): string {
  if (row.kind !== 'mark') return `${hasName ? '' : '* '}${showControls(row.text)}`;
  const time = fullTime(row.at, false);
  switch (row.stream) {
    case 'dropped':
      return t('logs.dropped', { n: row.count });
    case 'missed':
      return t('logs.missed', { n: row.count, name: showControls(row.name), stream: row.text });
    case 'lost':
      return t('logs.lost', { time });
    case 'back':
      return t('logs.back', { time });
    case 'restarted':
      return t('logs.restarted');
    default:
      return t('logs.reset', { reason: showControls(row.text) });
  }
}

/** Returns the number of the colour of a name. A name has the same colour on every page. */
function colourOf(name: string): number {
  let sum = 0;
  for (let at = 0; at < name.length; at++) sum = (sum * 31 + name.charCodeAt(at)) % 65_521;
  return sum % NAME_COLOURS;
}
