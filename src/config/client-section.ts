/**
 * Reads `[supervisorctl]` and the client's plug-ins, with absolute paths. Pure.
 */
import type { Context } from './datatype.ts';
import { absolutePath } from './datatypes.ts';
import type { Document } from './dialect.ts';
import type { Config } from './model.ts';
import type { NameSpace } from './names.ts';
import type { CtlOptions } from './options.ts';
import { Problems } from './problems.ts';
import { SectionReader } from './section-reader.ts';
import { readCtlOptions, readCtlPlugins } from './servers.ts';

/** The part of a configuration for the client. */
export type ClientConfig = Pick<Config, 'ctl' | 'ctlPlugins'>;

/** Reads the part of a configuration for the client. */
export function readClientSections(document: Document, reader: SectionReader, context: Context): ClientConfig {
  const ctl = readCtlOptions(document, reader);
  return { ctl: ctl === null ? null : resolvePaths(ctl, context), ctlPlugins: readCtlPlugins(document, reader) };
}

/** Reads the same for a supervisor. compat: Supervisor does not check these sections, so all errors are warnings. */
export function readClientSectionsLeniently(
  document: Document,
  context: Context,
  names: NameSpace,
  problems: Problems,
): ClientConfig {
  const own = new Problems();
  const config = readClientSections(document, new SectionReader(own, context, false, names), context);
  for (const problem of [...own.errors, ...own.warnings])
    problems.warn(problem, problem.section, problem.option, problem.reason);
  return config;
}

/** Makes the paths of `[supervisorctl]` absolute. */
function resolvePaths(ctl: CtlOptions, context: Context): CtlOptions {
  const { serverurl, history_file: history } = ctl;
  const scheme = 'unix://';
  return {
    ...ctl,
    serverurl: serverurl.startsWith(scheme)
      ? scheme + absolutePath(serverurl.slice(scheme.length), context)
      : serverurl,
    history_file: history === null || history === '' ? null : absolutePath(history, context),
  };
}
