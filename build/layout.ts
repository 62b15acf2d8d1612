/**
 * Rules for files: contents of the top folder, length of files, names, and the first comment. Pure functions of names
 * and texts; lint.ts reads the files.
 */

/** Entries that the top folder may have besides dot-files. */
export const TOP_LEVEL: ReadonlySet<string> = new Set([
  'package.json',
  'tsconfig.json',
  'src',
  'build',
  'Dockerfile',
  'test',
  'README.md',
  // Tools require these at the top.
  'package-lock.json',
  'LICENSE',
  // Tools create these, and git ignores them.
  'node_modules',
  'dist',
]);

/** Maximum number of lines. A longer file has more than one purpose. */
export const LONGEST_FILE = 400;

/** Maximum number of columns. */
export const LONGEST_LINE = 120;

/** A declaration that hides Node's global `process`. */
const HIDDEN_PROCESS = /\b(?:const|let|var|function) process\b|\(process *[:?=]|[{,] *process *[,}]/;

/** Files that may be longer, each with the reason. */
export const LONG_FILES: Readonly<Record<string, string>> = {
  'src/native/addon.c': 'glue: one short function for each function of addon.ts, and nothing that could be taken out',
  'src/config/options.ts': 'one table: a row for each option',
  'src/cli/client-commands.ts': 'one table: a row for each command',
};

/** Words that carry no meaning in a name. */
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

/** Supervisor's own name with such a word: its option result_handler. */
const FOREIGN_NAME = /result_?handler/i;

/** Returns the entries that do not belong into the top folder. */
export function strangersAtTop(names: readonly string[]): string[] {
  return names.filter(
    (name) => !name.startsWith('.') && !/\.log$|^report\..*\.json$/.test(name) && !TOP_LEVEL.has(name),
  );
}

/** Returns the problems of one file, as sentences with their lines. `file`: path relative to the top. */
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
  if (word !== null) problems.push({ line: 1, message: `the word "${word}" in the file name has no meaning` });
  lines.forEach((text, index) => {
    if (text.length > LONGEST_LINE)
      problems.push({ line: index + 1, message: `${text.length} columns, at most ${LONGEST_LINE}` });
    if (HIDDEN_PROCESS.test(text) && !/^\s*(\/\/|\*|\/\*)/.test(text))
      problems.push({ line: index + 1, message: 'a variable called process hides the global of Node' });
    for (const match of text.matchAll(/\b(?:function\*?|class|interface|type|const|let|enum)\s+([A-Za-z_$][\w$]*)/g)) {
      const name = match[1] ?? '';
      const empty = /^\s*(\/\/|\*|\/\*)/.test(text) || FOREIGN_NAME.test(name) ? null : emptyWordIn(name);
      if (empty !== null)
        problems.push({ line: index + 1, message: `the word "${empty}" in the name ${name} has no meaning` });
    }
  });
  return problems;
}

/** The part of package-lock.json that is checked. */
export interface Lockfile {
  readonly packages: Readonly<
    Record<string, { readonly resolved?: string; readonly optionalDependencies?: Readonly<Record<string, string>> }>
  >;
}

/** Returns the reasons why `npm ci` would fail on a machine other than the one that wrote the lockfile. */
export function lockfileProblems({ packages }: Lockfile): string[] {
  const problems: string[] = [];
  const names = new Set(
    Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)),
  );
  for (const [path, { resolved, optionalDependencies }] of Object.entries(packages)) {
    // The lockfile pins packages by their integrity. An address would name the registry of one machine.
    if (resolved !== undefined)
      problems.push(`${path} names a registry: run npm with --omit-lockfile-registry-resolved`);
    // npm omits packages that its registry does not have, and, if node_modules existed, those for other machines. `npm
    // ci` then refuses the file.
    for (const name of Object.keys(optionalDependencies ?? {}))
      if (!names.has(name))
        problems.push(
          `${path} wants ${name}, of which there is no entry: delete node_modules and the lockfile, or take a ` +
            `version whose parts are all there`,
        );
  }
  return problems;
}

/** Returns the first meaningless word in a name in kebab-, snake_ or camelCase. */
function emptyWordIn(name: string): string | null {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  return words.find((word) => EMPTY_WORDS.has(word)) ?? null;
}
