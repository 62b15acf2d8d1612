/**
 * The code blocks of README.md and of the manual, for the tests that check and run them. A comment on the line before
 * a block says how: `<!-- example: NAME -->` (a configuration that is run in a container), `<!-- session: EXAMPLE -->`
 * (commands with their output beside a supervisor with that example), `<!-- run: NAME -->` (`docker run` lines),
 * `<!-- file: NAME -->` (a file that belongs to the example of its page), `<!-- dockerfile: NAME -->`,
 * `<!-- compose: NAME -->`, `<!-- pod: NAME -->`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');
export const MANUAL = join(ROOT, 'src', 'manual');

/** Path of each document, relative to the top, with its text. */
export const DOCUMENTS: ReadonlyMap<string, string> = new Map(
  ['README.md', ...readdirSync(MANUAL).map((name) => `src/manual/${name}`)]
    .filter((path) => path.endsWith('.md'))
    .map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]),
);

export interface CodeBlock {
  /** Document and line, for messages. */
  readonly at: string;
  readonly document: string;
  /** The word after the fence; empty if there is none. */
  readonly language: string;
  /** The comment before the block: `example` and `order`. */
  readonly kind: string | null;
  readonly name: string;
  readonly text: string;
}

export const BLOCKS: readonly CodeBlock[] = [...DOCUMENTS].flatMap(([document, text]) =>
  [...text.matchAll(/(?:^<!-- ([a-z]+): (\S+) -->\n)?^```(\w*)\n([^]*?)^```$/gm)].map((match) => ({
    at: `${document}:${text.slice(0, match.index).split('\n').length}`,
    document,
    language: match[3] ?? '',
    kind: match[1] ?? null,
    name: match[2] ?? '',
    text: match[4] ?? '',
  })),
);

/** Returns the blocks of one kind of comment, by name. A repeated name is an error. */
export function blocksOfKind(kind: string): ReadonlyMap<string, CodeBlock> {
  const found = BLOCKS.filter((block) => block.kind === kind);
  const names = found.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`${kind} ${twice} stands twice in the manual`);
  return new Map(found.map((block) => [block.name, block]));
}

/** Completes a configuration for Supervisor, which needs a section `[supervisord]`. */
export function withSupervisord(text: string): string {
  return text.includes('[supervisord]') ? text : `[supervisord]\n\n${text}`;
}
