/**
 * Rules about files as such: what may lie at the top, how long a file is, how things are called, how a file begins.
 * Pure functions over names and texts; lint.ts reads the files.
 */

/** What the top folder may hold besides dot-files. */
export const TOP_LEVEL: ReadonlySet<string> = new Set([
  'package.json',
  'tsconfig.json',
  'src',
  'build',
  'Dockerfile',
  'test',
  'README.md',
  // Demanded there by tools.
  'package-lock.json',
  'LICENSE',
  // Made by tools and ignored by git.
  'node_modules',
  'dist',
]);

/** Above this a file holds more than one thing. */
export const LONGEST_FILE = 400;

/** Columns of a line. */
export const LONGEST_LINE = 120;

/** A declaration that hides Node's global `process`. */
const HIDDEN_PROCESS = /\b(?:const|let|var|function) process\b|\(process *[:?=]|[{,] *process *[,}]/;

/** Files that may be longer, each with the reason. */
export const LONG_FILES: Readonly<Record<string, string>> = {
  'src/native/addon.c': 'glue: one short function for each function of addon.ts, and nothing that could be taken out',
  'src/config/options.ts': 'one table: a row for each option',
};

/** Words that say nothing about what a thing is. */
const EMPTY_WORDS: ReadonlySet<string> = new Set([
  'manager',
  'handler',
  'handlers',
  'helper',
  'helpers',
  'util',
  'utils',
  'common',
]);

/** Supervisor's own names with such a word: its option result_handler. */
const FOREIGN_NAME = /result_?handler/i;

/** Names at the top that do not belong there. */
export function strangersAtTop(names: readonly string[]): string[] {
  return names.filter(
    (name) => !name.startsWith('.') && !/\.log$|^report\..*\.json$/.test(name) && !TOP_LEVEL.has(name),
  );
}

/** What is wrong with one file (path relative to the top), as sentences with their line. */
export function layoutProblems(file: string, source: string): Array<{ line: number; message: string }> {
  const problems: Array<{ line: number; message: string }> = [];
  const lines = source.split('\n');
  if (file.startsWith('src/') && lines.length > LONGEST_FILE && LONG_FILES[file] === undefined) {
    problems.push({
      line: lines.length,
      message:
        `${lines.length} lines, at most ${LONGEST_FILE}: it holds more than one thing (or belongs into ` +
        `LONG_FILES with a reason)`,
    });
  }
  if (!file.startsWith('test/') && !/^(#!.*\n)?\/[/*]/.test(source))
    problems.push({ line: 1, message: 'begins without a comment that says what the file owns and never does' });
  const base = file.slice(file.lastIndexOf('/') + 1);
  if (!/^[a-z0-9]+([-.][a-z0-9]+)*$/.test(base)) problems.push({ line: 1, message: `${base} is not in kebab-case` });
  const word = emptyWordIn(base);
  if (word !== null) problems.push({ line: 1, message: `the file name says "${word}", which tells nothing` });
  lines.forEach((text, index) => {
    if (text.length > LONGEST_LINE)
      problems.push({ line: index + 1, message: `${text.length} columns, at most ${LONGEST_LINE}` });
    if (HIDDEN_PROCESS.test(text) && !/^\s*(\/\/|\*|\/\*)/.test(text))
      problems.push({ line: index + 1, message: 'a variable called process hides the global of Node' });
    for (const match of text.matchAll(/\b(?:function\*?|class|interface|type|const|let|enum)\s+([A-Za-z_$][\w$]*)/g)) {
      const name = match[1] ?? '';
      const empty = /^\s*(\/\/|\*|\/\*)/.test(text) || FOREIGN_NAME.test(name) ? null : emptyWordIn(name);
      if (empty !== null)
        problems.push({ line: index + 1, message: `the name ${name} says "${empty}", which tells nothing` });
    }
  });
  return problems;
}

/** What is looked at in package-lock.json. */
export interface Lockfile {
  readonly packages: Readonly<
    Record<string, { readonly resolved?: string; readonly optionalDependencies?: Readonly<Record<string, string>> }>
  >;
}

/** What keeps `npm ci` from working on another machine than the one that wrote the lockfile. */
export function lockfileProblems({ packages }: Lockfile): string[] {
  const problems: string[] = [];
  const names = new Set(
    Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)),
  );
  for (const [path, { resolved, optionalDependencies }] of Object.entries(packages)) {
    // It pins by integrity; an address would be that of one machine's registry.
    if (resolved !== undefined)
      problems.push(`${path} names a registry: run npm with --omit-lockfile-registry-resolved`);
    // npm leaves out what its registry does not know, or what is for other machines when node_modules existed, and then
    // `npm ci` refuses the file.
    for (const name of Object.keys(optionalDependencies ?? {}))
      if (!names.has(name))
        problems.push(
          `${path} wants ${name}, of which there is no entry: delete node_modules and the lockfile, or take a ` +
            `version whose parts are all there`,
        );
  }
  return problems;
}

/** The first empty word in a name in kebab-, snake_ or camelCase. */
function emptyWordIn(name: string): string | null {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  return words.find((word) => EMPTY_WORDS.has(word)) ?? null;
}
