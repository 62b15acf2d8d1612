/**
 * `onevisor help`: the manual. Lists the topics, or shows the page of a topic: formatted on a terminal, as Markdown
 * through a pipe. The pages are in src/manual/. The build puts them into the executable.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getAsset, isSea } from 'node:sea';
import { nearestName } from '../config/nearest.ts';
import { layOutMarkdown } from '../manual/layout.ts';
import type { ProgramIo } from './program-io.ts';

/** Name of the asset with all pages: a JSON object from topic to Markdown. */
export const MANUAL_ASSET = 'manual.json';

/** The page with the list of topics, which is not a topic. */
export const INDEX_PAGE = 'README';

const USAGE = `Usage: onevisor help [TOPIC]

Shows a page of the manual; without a topic, the list of topics.
Through a pipe the page is Markdown: onevisor help logs | cat
`;

/** Maximum width of the text. Longer lines are hard to read. */
const WIDEST = 100;

/** Further input of `help`. */
export interface HelpIo extends ProgramIo {
  /** Columns of the terminal on standard output; null if it is not a terminal. */
  readonly columns: number | null;
}

/** Pages of the manual, by topic. */
export type Manual = Readonly<Record<string, string>>;

/** Reads the manual: an asset inside the executable, or the folder of the pages in a checkout. */
export function readManual(): Manual {
  if (isSea()) return JSON.parse(getAsset(MANUAL_ASSET, 'utf8')) as Manual;
  const folder = join(import.meta.dirname, '..', 'manual');
  const files = readdirSync(folder).filter((name) => name.endsWith('.md'));
  return Object.fromEntries(files.map((name) => [name.slice(0, -3), readFileSync(join(folder, name), 'utf8')]));
}

/**
 * Runs `help` with the arguments after its name: none, or one topic.
 *
 * @returns the exit code: 0, or 2 if there is no such topic
 */
export function runHelp(args: readonly string[], manual: Manual, io: HelpIo): number {
  const [topic, ...rest] = args;
  if (topic === '-h' || topic === '--help') {
    io.out(USAGE);
    return 0;
  }
  if (rest.length > 0) {
    io.err(`Error: help shows one topic, not "${args.join(' ')}"\nFor help, use onevisor help -h\n`);
    return 2;
  }
  const name = topic === undefined ? INDEX_PAGE : topic.toLowerCase().replace(/\.md$/, '');
  const page = Object.hasOwn(manual, name) ? manual[name] : undefined;
  if (page === undefined) {
    const topics = Object.keys(manual).filter((known) => known !== INDEX_PAGE);
    const nearest = topics.find((known) => known.includes(name)) ?? nearestName(name, topics);
    const hint = nearest === null ? '' : ` (did you mean ${nearest}?)`;
    io.err(`Error: cannot show "${topic}": no such topic${hint}\nFor the list of topics, use onevisor help\n`);
    return 2;
  }
  io.out(io.columns === null ? page : layOutMarkdown(page, Math.min(io.columns, WIDEST)));
  return 0;
}
