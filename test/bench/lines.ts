/**
 * The lines that `flood` writes, and the comparison of what a relay made of them: every line of every program, whole,
 * once, in order, and with the name of its program.
 */

const TEXT = '127.0.0.1 - - [10/Oct/2026:13:55:36 +0000] "GET /index.html HTTP/1.1" 200 2326 ';
const LINES_A_PERIOD = 2048;
const PERIOD_BYTES = 256 * 1024;

/** A line as a relay wrote it: its text, and the name that the relay gave it; null if it gives none. */
export interface Relayed {
  readonly text: string;
  readonly name: string | null;
}

/** Takes a line of a relay apart. */
export type Unpack = (line: string) => Relayed;

/** Returns a line of `flood` without its newline. */
export function lineText(bytes: number, tag: string, index: number): string {
  const number = index % Math.min(LINES_A_PERIOD, Math.floor(PERIOD_BYTES / bytes));
  const head = `${String(number).padStart(4, '0')} ${tag} `;
  return (head + TEXT.repeat(Math.ceil(bytes / TEXT.length))).slice(0, bytes - 1);
}

/** Lines that were expected. */
export interface Expected {
  readonly tags: readonly string[];
  /** Lines of each program. */
  readonly lines: number;
  readonly bytes: number;
}

/** Throws if the output of a relay is not exactly the lines of its programs. */
export function compareLines(output: string, unpack: Unpack, { tags, lines, bytes }: Expected): void {
  const next = new Map(tags.map((tag) => [tag, 0]));
  const texts = new Map(tags.map((tag) => [tag, Array.from({ length: 2048 }, (_, at) => lineText(bytes, tag, at))]));
  if (!output.endsWith('\n')) throw new Error('the last line is torn');
  const all = output.slice(0, -1).split('\n');
  for (const [at, line] of all.entries()) {
    const { text, name } = unpack(line);
    const tag = tags.length === 1 ? (tags[0] ?? '') : (text.split(' ', 2)[1] ?? '');
    const index = next.get(tag);
    const expected = index === undefined ? undefined : texts.get(tag)?.[periodic(index, bytes)];
    if (text !== expected || (name !== null && name !== tag))
      throw new Error(`line ${at + 1} is wrong: ${JSON.stringify(line)} instead of ${JSON.stringify(expected)}`);
    next.set(tag, (index ?? 0) + 1);
  }
  for (const [tag, count] of next) if (count !== lines) throw new Error(`${count} lines of ${tag} instead of ${lines}`);
}

/** Part of the text that may be missing: newlines that were added end the run before its last lines. */
const MISSING_PART = 0.01;

/** Compares the output for one program without newlines. Throws if it is another text. */
export function compareTornText(output: string, { tags, lines, bytes }: Expected): void {
  const text = output.replaceAll('\n', '');
  const expected = Array.from({ length: lines }, (_, index) => lineText(bytes, tags[0] ?? '', index)).join('');
  if (!expected.startsWith(text)) throw new Error('the text is another one');
  if (text.length < expected.length * (1 - MISSING_PART)) throw new Error('a part of the text is missing');
}

function periodic(index: number, bytes: number): number {
  return index % Math.min(LINES_A_PERIOD, Math.floor(PERIOD_BYTES / bytes));
}

/** Lines as they are. */
export const unpackRaw: Unpack = (text) => ({ text, name: null });

/** `NAME | text`. */
export const unpackPrefix: Unpack = (line) => {
  const at = line.indexOf(' | ');
  return { name: line.slice(0, at).trimEnd(), text: line.slice(at + 3) };
};

/** `[NAME] text`, as concurrently writes it. */
export const unpackBrackets: Unpack = (line) => {
  const at = line.indexOf('] ');
  return { name: line.slice(1, at), text: line.slice(at + 2) };
};

export const unpackJson: Unpack = (line) => {
  const { program, message } = JSON.parse(line) as { program: string; message: string };
  return { name: program, text: message };
};

export const unpackLogfmt: Unpack = (line) => ({
  name: / program=(\S+)/.exec(line)?.[1] ?? '',
  text: JSON.parse(/ message=(".*")$/.exec(line)?.[1] ?? '""') as string,
});
