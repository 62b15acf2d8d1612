/**
 * Manual pages for man(1), made from the Markdown of the manual and the tables of options and commands. remark-man
 * writes the roff. Pure: reads and writes no file.
 *
 * onevisor(1) has the command line, onevisor.conf(5) the configuration, and each other topic is a page of section 7.
 * Names such as supervisord(8) are those of Debian's package supervisor.
 */
import remarkGfm from 'remark-gfm';
import remarkMan from 'remark-man';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import type { Root } from 'mdast';
import { simplifyForMan, withHangingEntries } from './man-markdown.ts';

/** A manual page. */
export interface ManualPage {
  /** Name of its file, such as `onevisor.conf.5`. */
  readonly file: string;
  readonly section: number;
  /** Text in roff. */
  readonly roff: string;
}

/** A flag of the command line. */
interface Flag {
  readonly short: string | null;
  readonly long: string;
  readonly value: string | null;
  readonly doc: string;
}

/** Sources of the manual pages. */
export interface ManualSources {
  /** Markdown of onevisor(1), with marks for the generated parts. */
  readonly main: string;
  /** Pages of the manual in Markdown, by topic; `README` has the table of topics. */
  readonly topics: Readonly<Record<string, string>>;
  readonly flags: readonly Flag[];
  /** The reference of the commands: Markdown with a table for each group. */
  readonly commands: string;
  readonly version: string;
  /** Time of the commit. */
  readonly date: Date;
}

/** Topics that onevisor.conf(5) consists of. */
const CONFIGURATION: readonly string[] = ['configuration', 'reference'];
const CONFIGURATION_PAGE = 'onevisor.conf(5)';
const INDEX = 'README';

/** Makes all manual pages, in the order of their names. */
export function manualPages(sources: ManualSources): ManualPage[] {
  const contents = topicContents(sources.topics[INDEX] ?? '');
  const others = Object.keys(sources.topics).filter((topic) => topic !== INDEX && !CONFIGURATION.includes(topic));
  const page = (name: string, section: number, markdown: string): ManualPage => ({
    file: `${name}.${section}`,
    section,
    roff: toRoff(markdown, { name, section }, sources),
  });
  return [
    page('onevisor', 1, mainPage(sources, contents)),
    page('onevisor.conf', 5, configurationPage(sources.topics)),
    ...others.map((topic) => {
      const title = `onevisor-${topic}(7) -- ${contents.get(topic) ?? topic}`;
      return page(`onevisor-${topic}`, 7, retitle(sources.topics[topic] ?? '', title));
    }),
  ].sort((one, other) => (one.file < other.file ? -1 : 1));
}

/** Returns the manual page that has a topic, such as `onevisor-logs(7)`. */
export function pageOf(topic: string): string {
  if (topic === INDEX) return 'onevisor(1)';
  return CONFIGURATION.includes(topic) ? CONFIGURATION_PAGE : `onevisor-${topic}(7)`;
}

/** Reads the table of topics. Returns what each topic is about, without the period at the end. */
export function topicContents(index: string): Map<string, string> {
  const rows = index.matchAll(/^\| \[([\w-]+)\]\([\w-]+\.md\) \| (.+?)\.? \|$/gm);
  return new Map(Array.from(rows, ([, topic = '', content = '']) => [topic, content.replaceAll('`', '')]));
}

/** Replaces the title of a page, which becomes the section NAME. An introduction gets a section of its own. */
function retitle(markdown: string, title: string): string {
  return markdown.replace(/^# .*\n+(#?)/m, (_, heading: string) =>
    heading === '' ? `# ${title}\n\n## Description\n\n` : `# ${title}\n\n${heading}`,
  );
}

/** Returns the text below a heading of level 2, up to the next one. Throws if there is no such heading. */
export function sectionOf(markdown: string, heading: string): string {
  const [, text] = markdown.split(`\n## ${heading}\n`);
  if (text === undefined) throw new Error(`cannot make the manual pages: there is no heading "${heading}"`);
  return text.split('\n## ')[0]?.trim() ?? '';
}

function mainPage({ main, topics, flags, commands }: ManualSources, contents: ReadonlyMap<string, string>): string {
  const parts: Readonly<Record<string, string>> = {
    options: flagTable(flags),
    commands,
    'exit codes': sectionOf(topics['stopping-and-exit-codes'] ?? '', 'Exit codes'),
    topics: table(
      ['page', 'content'],
      [
        [CONFIGURATION_PAGE, 'The configuration: files, variables, every option.'],
        ...[...contents]
          .filter(([topic]) => !CONFIGURATION.includes(topic))
          .map(([topic, content]) => [pageOf(topic), `${content}.`]),
      ],
    ),
  };
  return main.replace(/^<!-- ([a-z ]+) -->$/gm, (mark, name: string) => {
    const part = parts[name];
    if (part === undefined) throw new Error(`cannot make the manual pages: there is no part for ${mark}`);
    return part;
  });
}

/** Joins the pages about the configuration. The title of the second one becomes a heading. */
function configurationPage(topics: Readonly<Record<string, string>>): string {
  const [first = '', second = ''] = CONFIGURATION.map((topic) => topics[topic] ?? '');
  const title = 'onevisor.conf(5) -- configuration of onevisor: files, variables, every option';
  return `${retitle(first, title)}\n\n${second.replace(/^# /m, '## ').replace(/^(#{2,3}) (?!Reference)/gm, '#$1 ')}`;
}

function flagTable(flags: readonly Flag[]): string {
  return table(
    ['option', 'meaning'],
    flags.map(({ short, long, value, doc }) => {
      const names = [...(short === null ? [] : [`-${short}`]), `--${long}`].map((name) => `\`${name}\``).join(', ');
      return [value === null ? names : `${names} *${value}*`, `${doc.charAt(0).toUpperCase()}${doc.slice(1)}.`];
    }),
  );
}

function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => escapeCell(cell)).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Escapes the bar that ends a cell, and outside of code the characters that begin HTML. */
function escapeCell(text: string): string {
  const escaped = text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replaceAll('<', '\\<').replaceAll('*:', '\\*:')));
  return escaped.join('').replaceAll('|', '\\|');
}

/** Converts a page from Markdown to roff. Its first heading has the name, the section and the description. */
function toRoff(
  markdown: string,
  { name, section }: { readonly name: string; readonly section: number },
  { version, date }: ManualSources,
): string {
  const description = /^# \S+ -- (.+)$/m.exec(markdown)?.[1] ?? '';
  const processor = unified()
    .use(remarkParse)
    .use(remarkGfm)
    .use(() => (tree: Root) => simplifyForMan(tree, pageOf))
    .use(remarkMan, { name, section, description, date, version: `onevisor ${version}`, manual: 'onevisor' });
  return withHangingEntries(String(processor.processSync(markdown)));
}
