/**
 * Reads a Procfile (`name: command` on each line) and the `.env` in its directory, as foreman does. All access to files
 * goes through the Source.
 */
import { posix } from 'node:path';
import { parseEnvironmentText } from '../core/environment-text.ts';
import { joinCommandLine } from '../core/command-line.ts';
import { type Document, ensureSection } from './dialect.ts';
import type { Problems } from './problems.ts';
import { splitLines, strip } from './python-text.ts';
import { withExec } from './shell-exec.ts';
import type { Source } from './source.ts';

const FIRST_PORT = 5000;
const PORT_STEP = 100;
const LAST_PORT = 65_535;

/** A Procfile with the variables of its `.env`. */
interface ProcfileText {
  readonly path: string;
  readonly text: string;
  /** Variables of the `.env`, without those that our environment has already. */
  readonly variables: ReadonlyMap<string, string>;
  /** PORT of the first program. */
  readonly firstPort: number;
}

/** Ports and variables of the programs of a Procfile. */
export interface ProcfilePrograms {
  /** First PORT of each program, by its name. */
  readonly ports: ReadonlyMap<string, number>;
  readonly variables: ReadonlyMap<string, string>;
}

/** Returns the paths of the Procfile and of its `.env`; null without a Procfile. */
export function procfilePaths({ env, cwd }: Source): { readonly procfile: string; readonly dotEnv: string } | null {
  if (env.ONEVISOR_PROCFILE === undefined) return null;
  const procfile = posix.resolve(cwd, env.ONEVISOR_PROCFILE);
  return { procfile, dotEnv: posix.join(posix.dirname(procfile), '.env') };
}

/** Adds the programs of the Procfile that ONEVISOR_PROCFILE names, with the `.env` in its directory. */
export function addProcfile(document: Document, here: string, source: Source, problems: Problems): ProcfilePrograms {
  const none: ProcfilePrograms = { ports: new Map(), variables: new Map() };
  const paths = procfilePaths(source);
  if (paths === null) return none;
  const { procfile: path, dotEnv } = paths;
  const read = source.read(path);
  if (!read.ok) {
    problems.errorFrom('ONEVISOR_PROCFILE', `cannot read ${path}: ${read.reason}`);
    return none;
  }
  const variables = readDotEnvBeside(dotEnv, source, problems);
  return addPrograms(
    document,
    { path, text: read.text, variables, firstPort: readFirstPort(variables, source.env, problems) },
    here,
    problems,
  );
}

function readDotEnvBeside(path: string, source: Source, problems: Problems): ReadonlyMap<string, string> {
  const read = source.read(path);
  if (read.ok) return readDotEnv(read.text, path, source.env, problems);
  if (read.code !== 'ENOENT') problems.errorFrom(path, `cannot read it: ${read.reason}`);
  return new Map();
}

/**
 * Returns the variables that a `.env` adds to an environment. Errors become problems of that file.
 */
function readDotEnv(
  text: string,
  path: string,
  env: Readonly<Record<string, string | undefined>>,
  problems: Problems,
): Map<string, string> {
  const parsed = parseEnvironmentText(text);
  if (!parsed.ok) {
    problems.error(
      { file: path, line: parsed.line },
      '',
      null,
      'cannot understand this line of a .env file; expected NAME=value',
    );
    return new Map();
  }
  for (const [name, value] of parsed.variables)
    if (value.includes('\0'))
      problems.errorFrom(path, `the value of ${name} has a NUL byte, which a variable cannot contain; remove it`);
  return new Map([...parsed.variables].filter(([name]) => env[name] === undefined));
}

/** Returns the PORT of the first program: that of the environment, else of the `.env`, else 5000. */
function readFirstPort(
  variables: ReadonlyMap<string, string>,
  env: Readonly<Record<string, string | undefined>>,
  problems: Problems,
): number {
  const text = env['PORT'] ?? variables.get('PORT') ?? '';
  if (text === '') return FIRST_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port > 0 && port <= LAST_PORT) return port;
  problems.warnFrom('PORT', `"${text}" is not a port, so the first program of the Procfile gets PORT=${FIRST_PORT}`);
  return FIRST_PORT;
}

/**
 * Adds the programs of a Procfile to a document. As with foreman, a shell runs each command, and the PORT of each
 * program is 100 above that of the program before. stopasgroup is on, so that the children of a shell that was not
 * replaced get the signals too.
 */
function addPrograms(
  document: Document,
  { path: file, text, variables, firstPort }: ProcfileText,
  here: string,
  problems: Problems,
): ProcfilePrograms {
  const ports = new Map<string, number>();
  splitLines(text).forEach((line, index) => {
    const content = strip(line);
    if (content === '' || content.startsWith('#')) return;
    const place = { file, line: index + 1 };
    const match = /^([\w.-]+)\s*:\s*(\S.*)$/.exec(content);
    if (match === null) {
      problems.error(place, '', null, 'cannot understand this line of a Procfile; expected "name: command"');
      return;
    }
    const [, name = '', command = ''] = match;
    if (ports.has(name))
      problems.error(place, `program:${name}`, null, 'the Procfile has this name already; rename one of them');
    ports.set(name, firstPort + PORT_STEP * ports.size);
    const { options } = ensureSection(document, `program:${name}`, place);
    const set = (option: string, value: string): unknown => options.set(option, { value, place, here, literal: true });
    set('command', joinCommandLine(['/bin/sh', '-c', withExec(command)]));
    set('stopasgroup', 'true');
    set('numprocs_start', '1');
  });
  return { ports, variables };
}
