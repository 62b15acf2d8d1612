/**
 * Texts of a configuration: finds the main file, and adds it, its includes and ONEVISOR_CONF_TEXT to a document.
 * Knows `[include]` and no other option. All that is outside comes through the Source.
 */
import { posix } from 'node:path';
import { addDocument, addText, type Document, emptyDocument, type TextProblems } from './dialect.ts';
import { definesPrograms } from './environment.ts';
import { ExpansionError, expand } from './expand.ts';
import type { Flags } from './flags.ts';
import { findMatches } from './glob.ts';
import type { SourceLocation } from './model.ts';
import { NameSpace } from './names.ts';
import { includeOptions } from './options.ts';
import type { Problems } from './problems.ts';
import { splitWords } from './python-text.ts';
import { isForbidden, type Source } from './source.ts';
import { findTemplateLines } from './template.ts';

/** How a configuration is read. */
export interface ReadSettings {
  readonly isContainer: boolean;
  /** No look-up that depends on the host: users, directories, includes. */
  readonly isStatic: boolean;
  readonly flags: Flags;
  /** Path of our executable, beside whose directory Supervisor looks for the file. */
  readonly executable: string;
}

/** Where Supervisor looks for its file, in its order and as it names the places. */
export function searchNames(executable: string): string[] {
  const base = posix.dirname(posix.dirname(executable));
  const candidates = ['etc/supervisord.conf', 'supervisord.conf'].map((name) => posix.join(base, name));
  return [
    ...candidates,
    'supervisord.conf',
    'etc/supervisord.conf',
    '/etc/supervisord.conf',
    '/etc/supervisor/supervisord.conf',
  ];
}

/** The same as absolute paths. */
export function searchPaths(executable: string, cwd: string): string[] {
  return [...new Set(searchNames(executable).map((path) => posix.resolve(cwd, path)))];
}

/**
 * True if there is nothing to read a configuration from: no file is named or found, no variable defines a program, and
 * no command is given.
 */
export function isUnconfigured(
  source: Source,
  { flags, executable }: Pick<ReadSettings, 'flags' | 'executable'>,
): boolean {
  const named = flags.file ?? source.env.ONEVISOR_CONF ?? null;
  const hasFile =
    named === null ? searchPaths(executable, source.cwd).some((path) => source.isFile(path)) : named !== '';
  return !hasFile && flags.command === null && !definesPrograms(source.env);
}

/** The file to read; null where there is none, which is a problem unless something else configures us. */
export function findFile(source: Source, settings: ReadSettings, problems: Problems | null): string | null {
  const { flags, executable } = settings;
  const named = flags.file ?? source.env.ONEVISOR_CONF ?? null;
  if (named !== null && named !== '') return posix.resolve(source.cwd, named);
  // Set and empty: no file, whatever lies about in the image.
  const paths = named === '' ? [] : searchPaths(executable, source.cwd);
  const found = paths.find((path) => source.isFile(path));
  if (found !== undefined) return found;
  if (isUnconfigured(source, settings))
    problems?.error(
      { file: '-c', line: 0 },
      '',
      null,
      `${named === '' ? 'there is no configuration' : `no configuration file found at ${paths.join(', ')}`}; name one with -c, or set ONEVISOR_PROGRAM_<NAME>=<command>, or give a command after --`,
    );
  return null;
}

/** Adds the main file and what it includes; returns the latter. */
export function addFile(
  document: Document,
  file: string,
  source: Source,
  { isStatic }: ReadSettings,
  problems: Problems,
): string[] {
  if (!readInto(document, file, source, problems, null)) return [];
  const included = addIncludes(document, posix.dirname(file), source, isStatic, problems);
  // compat: included files count.
  if (!document.sections.has('supervisord'))
    problems.error({ file, line: 0 }, 'supervisord', null, 'the section is missing; add a line [supervisord]');
  return included;
}

/** Reads one file into a document. `from` is what names it; null for the main file. */
export function readInto(
  document: Document,
  path: string,
  source: Source,
  problems: Problems,
  from: SourceLocation | null,
): boolean {
  const read = source.read(path);
  if (read.ok) {
    problems.markTemplate(path, findTemplateLines(read.text));
    report(addText(document, read.text, path, posix.dirname(path)), problems);
    return true;
  }
  const reason = `cannot read ${path}: ${read.reason}`;
  // compat: an included file that cannot be opened is left out, one that is not UTF-8 is an error.
  if (from === null) problems.error({ file: path, line: 0 }, '', null, reason);
  else if (isForbidden(read.code)) problems.error(from, 'include', 'files', reason);
  else problems.warn(from, 'include', 'files', reason);
  return false;
}

/** `[include] files`; patterns are relative to the file they stand in, and included files cannot include others. */
function addIncludes(
  document: Document,
  here: string,
  source: Source,
  isStatic: boolean,
  problems: Problems,
): string[] {
  const section = document.sections.get('include');
  const raw = section?.options.get('files') ?? document.defaults.get('files');
  if (section === undefined) return [];
  if (raw === undefined) {
    problems.error(
      section.place,
      section.name,
      'files',
      `is missing; add it, as files=${String(includeOptions.files.sample)}`,
    );
    return [];
  }
  try {
    const patterns = splitWords(expand(raw.value, new NameSpace(source.env, source.hostname, true).forInclude(here)));
    return (isStatic ? [] : patterns).flatMap((pattern) => {
      const found = findMatches(posix.resolve(here, pattern), source);
      if (found.length === 0)
        problems.warn(raw.place, section.name, 'files', `no file matches ${posix.resolve(here, pattern)}`);
      return found.filter((path) => readInto(document, path, source, problems, raw.place));
    });
  } catch (error) {
    if (!(error instanceof ExpansionError)) throw error;
    problems.error(raw.place, section.name, 'files', `cannot expand the value: ${error.message}`);
    return [];
  }
}

function report({ errors, warnings }: TextProblems, problems: Problems): void {
  for (const problem of errors) problems.error(problem, problem.section, problem.option, problem.reason);
  for (const problem of warnings) problems.warn(problem, problem.section, problem.option, problem.reason);
}

/** Adds the text of ONEVISOR_CONF_TEXT with its own includes; returns these. */
export function addInlineText(
  document: Document,
  here: string,
  source: Source,
  { isStatic }: ReadSettings,
  problems: Problems,
): string[] {
  const { ONEVISOR_CONF_TEXT: text } = source.env;
  if (text === undefined) return [];
  if (!text.isWellFormed())
    problems.error({ file: 'ONEVISOR_CONF_TEXT', line: 0 }, '', null, 'it is not UTF-8; a configuration must be');
  const own = emptyDocument();
  report(addText(own, text, 'ONEVISOR_CONF_TEXT', here), problems);
  const included = addIncludes(own, here, source, isStatic, problems);
  addDocument(document, own);
  return included;
}
