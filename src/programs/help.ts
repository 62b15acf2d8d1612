/**
 * `onevisor help` and `onevisor --help`: the commands, the options and the manual. A page of the manual is formatted on
 * a terminal, and Markdown through a pipe. The pages are in src/manual/. The build puts them into the executable.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getAsset, isSea } from 'node:sea';
import { findCommand, typedCommands } from '../cli/commands.ts';
import { formatCommand, formatOverview, formatRows, PIPE_WIDTH } from '../cli/help-text.ts';
import { formatFlags } from '../config/flags.ts';
import { nearestName } from '../config/nearest.ts';
import { describeTopic, listOptionTopics } from '../config/option-help.ts';
import { escapeControls, showText } from '../core/shown-text.ts';
import { layOutMarkdown } from '../manual/layout.ts';
import type { ProgramIo } from './program-io.ts';

/** Name of the asset with all pages: a JSON object from topic to Markdown. */
export const MANUAL_ASSET = 'manual.json';

/** The page with the list of topics, which is not a topic. */
export const INDEX_PAGE = 'README';

/** Maximum width of the text. Longer lines are hard to read. */
const WIDEST = 100;

/** Further input of `help`. */
export interface HelpIo extends ProgramIo {
  /** Columns of the terminal on standard output; null if it is not a terminal. */
  readonly columns: number | null;
}

/** Pages of the manual, by topic. */
export type Manual = Readonly<Record<string, string>>;

/** Kinds of topics, in the order in which a name is looked up. */
const KINDS = ['command', 'page', 'option'] as const;
type Kind = (typeof KINDS)[number];

/** Reads the manual: an asset inside the executable, or the folder of the pages in a checkout. */
export function readManual(): Manual {
  if (isSea()) return JSON.parse(getAsset(MANUAL_ASSET, 'utf8')) as Manual;
  const folder = join(import.meta.dirname, '..', 'manual');
  const files = readdirSync(folder).filter((name) => name.endsWith('.md'));
  return Object.fromEntries(files.map((name) => [name.slice(0, -3), readFileSync(join(folder, name), 'utf8')]));
}

/** Returns the width of a text on a terminal, or through a pipe (null). */
export function textWidth(columns: number | null): number {
  return columns === null ? PIPE_WIDTH : Math.min(columns, WIDEST);
}

/** Lists the names of all pages of the manual. */
export function listPages(manual: Manual): string[] {
  return Object.keys(manual).filter((name) => name !== INDEX_PAGE);
}

/** Runs `onevisor --help`. Returns the exit code. */
export function runOverview(io: HelpIo): number {
  io.out(formatOverview(textWidth(io.columns)));
  return 0;
}

/**
 * Runs `help` with the arguments after its name: none, a topic, or a kind and a topic.
 *
 * @returns the exit code: 0, or 2 if there is no such topic
 */
export function runHelp(args: readonly string[], manual: Manual, io: HelpIo): number {
  const [first, ...rest] = args;
  if (first === undefined) {
    io.out(showPage(manual, INDEX_PAGE, io) ?? '');
    return 0;
  }
  const kind = KINDS.find((known) => known === first);
  const [topic = '', ...more] = kind === undefined || rest.length === 0 ? args : rest;
  if (more.length > 0) {
    io.err(`Error: help shows one topic, not "${showWords(args)}"\nFor help, use onevisor help --help\n`);
    return 2;
  }
  const kinds = rest.length === 0 || kind === undefined ? KINDS : [kind];
  const found = kinds.flatMap((one) => {
    const text = showTopic(one, topic, manual, io);
    return text === null ? [] : [{ kind: one, text }];
  });
  const [shown, ...others] = found;
  if (shown === undefined) return refuseTopic(topic, manual, io);
  const alias = others.map((other) => `onevisor help ${other.kind} ${topic.toLowerCase()}`);
  const also = others.map((other, index) => `The ${other.kind} of that name: ${alias[index]}\n`);
  io.out(`${shown.text}${also.length === 0 ? '' : `\n${also.join('')}`}`);
  return 0;
}

/**
 * Reports a word that is no command, outside of the main process of a container. Returns the exit code.
 *
 * @param args - the word and its arguments
 */
export function runUnknown([word = '']: readonly string[], io: ProgramIo): number {
  const nearest = nearestName(
    word,
    typedCommands.map(({ name }) => name),
  );
  const hint = nearest === null ? '' : ` (did you mean ${nearest}?)`;
  const shown = showText(word);
  io.err(
    `Error: there is no command "${shown}"${hint}\n` +
      `\`onevisor --help\` lists the commands; \`onevisor -- ${shown}\` runs a program of that name.\n`,
  );
  return 2;
}

function showTopic(kind: Kind, topic: string, manual: Manual, io: HelpIo): string | null {
  const name = topic.toLowerCase();
  switch (kind) {
    case 'command': {
      const spec = findCommand(name);
      return spec === null ? null : formatCommand(spec, textWidth(io.columns));
    }
    case 'page':
      if (name === 'options') return formatFlags('onevisor');
      return name === INDEX_PAGE.toLowerCase() ? null : showPage(manual, name.replace(/\.md$/, ''), io);
    case 'option': {
      const blocks = describeTopic(name);
      const width = textWidth(io.columns);
      return blocks.length === 0 ? null : `${blocks.map((rows) => formatRows(rows, width).join('\n')).join('\n\n')}\n`;
    }
  }
}

function showPage(manual: Manual, name: string, { columns }: HelpIo): string | null {
  const page = Object.hasOwn(manual, name) ? manual[name] : undefined;
  if (page === undefined) return null;
  return columns === null ? page : layOutMarkdown(page, textWidth(columns));
}

function refuseTopic(topic: string, manual: Manual, io: HelpIo): number {
  const name = topic.toLowerCase();
  const pages = listPages(manual);
  const commands = typedCommands.map((spec) => spec.name);
  const nearest =
    nearestName(name, [...commands, ...pages]) ??
    nearestName(name, listOptionTopics()) ??
    pages.find((known) => known.includes(name)) ??
    null;
  const hint = nearest === null ? '' : ` (did you mean ${nearest}?)`;
  io.err(
    `Error: cannot show "${showText(topic)}": no such topic${hint}\n` +
      'For the list of topics, use onevisor help; for the list of commands, onevisor --help\n',
  );
  return 2;
}

function showWords(words: readonly string[]): string {
  return escapeControls(words.join(' ').slice(0, PIPE_WIDTH));
}
