/**
 * Texts about the commands, made from their table: `--help`, the help of one command, and the tables in the documents.
 * Pure.
 */
import { type CommandGroup, type CommandSpec, groupTitles, type OptionSpec } from './command-spec.ts';
import { commandSpecs, findCommand, frozenWords, typedCommands } from './commands.ts';
import { connectionOptions } from './connection-options.ts';

/** Width of a text that goes to a pipe or a file. */
export const PIPE_WIDTH = 80;
/** Column where the text of an option or an example begins, at most. */
const WIDEST_LEFT = 40;
/** Least width of a text beside a left column. On a narrower terminal, the text goes below it. */
const NARROWEST_RIGHT = 24;

/** Examples of `--help`. Each is run by a test. */
export const overviewExamples: ReadonlyArray<readonly [line: string, effect: string]> = [
  ['onevisor status', 'the state of all programs'],
  ["onevisor restart 'worker:*'", 'all processes of a group'],
  ['onevisor check -c supervisord.conf', 'the mistakes in a configuration'],
  ['onevisor help restart', 'a command, an option or a page of the manual'],
  ['onevisor -- sh -c "exit 3"', 'a program in the foreground, beside the others'],
];

/** Formats the text of `onevisor --help` for a terminal of this width. */
export function formatOverview(width: number): string {
  const groups = Object.entries(groupTitles).map(([group, title]) => {
    const rows = typedCommands
      .filter((spec) => spec.group === group)
      .map(({ name, summary }) => [name, summary] as const);
    return [`${title}:`, ...formatRows(rows, width, 12)];
  });
  return joinBlocks([
    ['Usage: onevisor [OPTIONS] [-- CMD [ARG…]]', '       onevisor COMMAND [ARG…]'],
    wrapText(
      'Runs the programs of supervisord.conf and of the environment as the entrypoint of a container, ' +
        'and controls them.',
      width,
    ),
    ...groups,
    ['Examples:', ...formatRows(overviewExamples, width, 36)],
    wrapText(
      '`onevisor COMMAND --help` explains a command, `onevisor help options` the options before --, `onevisor help` ' +
        'lists the pages of the manual.',
      width,
    ),
    wrapText(
      'In the main process of a container only these words are commands; any other word is the program to run, as ' +
        `after --: ${frozenWords.toSorted().join(', ')}.`,
      width,
    ),
  ]);
}

/** Formats the help of one command for a terminal of this width. */
export function formatCommand(spec: CommandSpec, width: number): string {
  const { usage, summary, options = [], details = [], examples = [], exitCodes = [] } = spec;
  const own = options.filter((option) => !isConnection(option));
  const isClient = spec.kind === 'client';
  const connection = isClient || own.length < options.length ? connectionOptions : [];
  return joinBlocks([
    usage.map((form, index) => {
      const start = spec.kind === 'shell' && index > 0 ? 'supervisor> ' : 'onevisor ';
      return `${index === 0 ? 'Usage: ' : '       '}${start}${form}`;
    }),
    wrapText(`${summary}.`, width),
    ...details.map((paragraph) => wrapText(paragraph, width)),
    section('Options:', own.map(optionRow), width),
    section('Options for the connection:', connection.map(optionRow), width),
    section(
      'Examples:',
      examples.map(({ line, effect }) => [line, effect] as const),
      width,
    ),
    section(
      'Exit codes other than 0:',
      exitCodes.map(([code, meaning]) => [String(code), meaning] as const),
      width,
    ),
  ]);
}

/** Returns the help of a command that is in the table, for its own `--help`. */
export function helpOf(name: string, width = PIPE_WIDTH): string {
  const spec = findCommand(name);
  return spec === null ? '' : formatCommand(spec, width);
}

/** Formats the reference of all commands, as a Markdown table for each group. */
export function formatCommandReference(): string {
  const parts = Object.entries(groupTitles).map(([group, title]) => {
    const rows = commandSpecs
      .filter((spec) => spec.group === group)
      .flatMap((spec) => [
        `| \`${referenceForm(spec)}\` | ${spec.summary} |`,
        ...(spec.options ?? [])
          .filter((option) => !isConnection(option))
          .map((option) => `| \u2003\`${optionForm(option)}\` | ${option.help} |`),
      ]);
    return `### ${title}\n\n| command | effect |\n| --- | --- |\n${rows.join('\n')}\n`;
  });
  return parts.join('\n');
}

/** Returns the form of a command for a table. A command of the shell is typed at its prompt, which is its last form. */
function referenceForm({ kind, usage }: CommandSpec): string {
  return ((kind === 'shell' ? usage.at(-1) : usage[0]) ?? '').replaceAll('|', '\\|');
}

/** Formats the names of the commands as a Markdown table with a row for each group. */
export function formatCommandList(): string {
  const namesOf = (group: CommandGroup): string =>
    typedCommands
      .filter((spec) => spec.group === group)
      .map(({ name }) => `\`${name}\``)
      .join(', ');
  const rows = (Object.keys(groupTitles) as CommandGroup[]).map(
    (group) => `| ${groupTitles[group]} | ${namesOf(group)} |`,
  );
  return `| | |\n| --- | --- |\n${rows.join('\n')}\n`;
}

/** Formats the list of the words that are always commands, as Markdown. */
export function formatFrozenWords(): string {
  return `${wrapText(
    `${frozenWords
      .toSorted()
      .map((word) => `\`${word}\``)
      .join(', ')}.`,
    120,
  ).join('\n')}\n`;
}

function isConnection(option: OptionSpec): boolean {
  return connectionOptions.some((known) => known === option);
}

/** Formats an option with its value, for example `-c, --configuration FILE`. */
function optionForm({ names, value, join }: OptionSpec): string {
  if (value === undefined) return names.join(', ');
  return join === undefined ? `${names.join(', ')} ${value}` : `${names.join(', ')}[${join}${value}]`;
}

function optionRow(option: OptionSpec): readonly [string, string] {
  return [optionForm(option), option.help];
}

function section(title: string, rows: ReadonlyArray<readonly [string, string]>, width: number): readonly string[] {
  return rows.length === 0 ? [] : [title, ...formatRows(rows, width)];
}

/** Formats rows of two columns. `least` is the minimum width of the left column, so that several lists can align. */
export function formatRows(rows: ReadonlyArray<readonly [string, string]>, width: number, least = 0): string[] {
  const left = Math.max(least, ...rows.map(([name]) => name.length).filter((length) => length <= WIDEST_LEFT));
  const isBeside = width - left - 4 >= NARROWEST_RIGHT;
  const indent = ' '.repeat(isBeside ? left + 4 : 6);
  return rows.flatMap(([name, text]) => {
    const lines = wrapText(text, width - indent.length).map((line) => `${indent}${line}`);
    if (!isBeside || name.length > left) return [`  ${name}`, ...lines];
    return [`  ${name.padEnd(left)}  ${lines[0]?.slice(indent.length) ?? ''}`, ...lines.slice(1)];
  });
}

/** Formats the commands and options that are not in a list of known names, for supervisorctl. */
export function formatAdditions(known: ReadonlySet<string>, width: number): string[] {
  const rows = commandSpecs.flatMap((spec) => {
    if (spec.kind === 'tool' || (spec.kind === 'frozen' && spec.name !== 'health')) return [];
    if (!known.has(spec.name)) return [[spec.usage[0] ?? spec.name, spec.summary] as const];
    // The options of Supervisor have one letter.
    const added = (spec.options ?? []).filter(({ names }) => names.every((name) => name.startsWith('--')));
    return added.map((option) => [`${spec.name} ${optionForm(option)}`, option.help] as const);
  });
  return formatRows(rows, width);
}

/** Formats the options of a command alone, without those of the connection. */
export function formatOwnOptions({ options = [] }: CommandSpec, width: number): readonly string[] {
  return section('Options:', options.filter((option) => !isConnection(option)).map(optionRow), width);
}

/** Wraps a text at spaces. A word that is longer than the width is alone on its line. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function joinBlocks(blocks: ReadonlyArray<readonly string[]>): string {
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}
