/** Makes the pieces of a row: colours, readable JSON, marked matches, and the cut of a long line. Pure. */
import { type Piece, splitColours } from './ansi.ts';
import { readableJson } from './json-line.ts';
import type { Matcher } from './matcher.ts';

/** Characters of a line that are shown before "show all". */
export const SHOWN_CHARACTERS = 2000;

/** The wishes for a row. */
export interface PieceWishes {
  /** True if JSON is shown as the program wrote it. */
  readonly isRaw: boolean;
  /** True if a long line is shown to its end. */
  readonly isWhole: boolean;
  /** Texts to mark, each with its class. The first one wins. */
  readonly marks: ReadonlyArray<readonly [matcher: Matcher, look: string]>;
}

/** The pieces of a row. */
export interface ShownLine {
  readonly pieces: readonly Piece[];
  /** True if the line is JSON that was made readable. */
  readonly isJson: boolean;
  /** True if the end of the line is not shown. */
  readonly isCut: boolean;
}

/** Returns the pieces of a line. */
export function piecesOf(text: string, { isRaw, isWhole, marks }: PieceWishes): ShownLine {
  const json = isRaw ? null : readableJson(text);
  const isCut = !isWhole && text.length > SHOWN_CHARACTERS;
  const pieces = json ?? splitColours(isCut ? text.slice(0, SHOWN_CHARACTERS) : text);
  const shown = isCut && json !== null ? cutPieces(json) : pieces;
  return { pieces: marks.reduceRight(marked, shown), isJson: json !== null, isCut };
}

function cutPieces(pieces: readonly Piece[]): readonly Piece[] {
  let left = SHOWN_CHARACTERS;
  return pieces.flatMap((piece) => {
    const text = piece.text.slice(0, left);
    left -= text.length;
    return text === '' ? [] : [{ ...piece, text }];
  });
}

/** Splits pieces at the matches of a text, and adds a class to the matches. */
function marked(pieces: readonly Piece[], [matcher, look]: readonly [Matcher, string]): readonly Piece[] {
  const spans = matcher.spans(pieces.map(({ text }) => text).join(''));
  if (spans.length === 0) return pieces;
  const result: Piece[] = [];
  let at = 0;
  let next = 0;
  for (const piece of pieces) {
    const end = at + piece.text.length;
    for (let from = at; from < end;) {
      while (next < spans.length && (spans[next]?.[1] ?? 0) <= from) next++;
      const [start, stop] = spans[next] ?? [Infinity, Infinity];
      const isInside = from >= start;
      const to = Math.min(end, isInside ? stop : start);
      const text = piece.text.slice(from - at, to - at);
      result.push(isInside ? { ...piece, text, look: `${piece.look} ${look}`.trim() } : { ...piece, text });
      from = to;
    }
    at = end;
  }
  return result;
}
