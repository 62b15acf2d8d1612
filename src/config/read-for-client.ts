/**
 * Reads the parts of a configuration that a client needs: the options of `[supervisorctl]`, and the servers of a
 * running supervisor. All access to files goes through the Source.
 */
import { posix } from 'node:path';
import { readClientSections } from './client-section.ts';
import type { Context } from './datatype.ts';
import { addEnvironment } from './environment.ts';
import { findFile, type ReadSettings } from './find-files.ts';
import { DocumentLoader } from './load-document.ts';
import type { Config, Reading } from './model.ts';
import { NameSpace } from './names.ts';
import { Problems } from './problems.ts';
import { SectionReader } from './section-reader.ts';
import { readInetServers, readUnixServers } from './servers.ts';
import type { Source } from './source.ts';

/** The part of a configuration for the client. */
export interface CtlReading extends Pick<Config, 'ctl' | 'ctlPlugins' | 'file'>, Pick<Reading, 'errors' | 'warnings'> {
  /** True if the file sets `serverurl`. The value does not show that, because the file may repeat the default. */
  readonly isUrlWritten: boolean;
}

function clientContext({ cwd, env }: Source): Context {
  return { cwd, home: env.HOME ?? null, host: null };
}

/** True for the sections that {@link readCtlConfig} reads. */
function takesForClient(section: string): boolean {
  return section === 'supervisorctl' || section.startsWith('ctlplugin:');
}

/** True for the sections that {@link readServerConfig} reads. */
function takesServers(section: string): boolean {
  return section === 'include' || /^(?:unix_http_server|inet_http_server|api_user:)/.test(section);
}

/**
 * Reads the options of `[supervisorctl]` from the supervisor's file, without its includes. Warnings about other
 * sections and about plug-ins in Python come from the supervisor once, not from every command.
 */
export function readCtlConfig(source: Source, settings: ReadSettings): CtlReading {
  const problems = new Problems();
  const loader = new DocumentLoader(source, problems, takesForClient);
  const { document } = loader;
  const file = findFile(source, settings, null);
  if (file !== null) loader.addMainFile(file);
  const context = clientContext(source);
  const names = new NameSpace(source.env, source.hostname, false);
  const reader = new SectionReader(problems, context, settings.isContainer, names);
  const sections = [document.defaults, document.sections.get('supervisorctl')?.options];
  return {
    ...readClientSections(document, reader, context),
    isUrlWritten: sections.some((options) => options?.has('serverurl') === true),
    file,
    errors: problems.errors,
    warnings: problems.warnings.filter(({ section }) => section === 'supervisorctl'),
  };
}

/**
 * Reads the file and the servers of a supervisor that runs already, for a client that looks for it. Errors elsewhere in
 * the file are ignored: a file that was edited since the start still has the address of the supervisor.
 */
export function readServerConfig(
  source: Source,
  settings: ReadSettings,
): Pick<Config, 'unixServers' | 'inetServers' | 'file'> {
  const problems = new Problems();
  const loader = new DocumentLoader(source, problems, takesServers);
  const file = findFile(source, settings, null);
  const here = file === null ? source.cwd : posix.dirname(file);
  if (file !== null) loader.addFile(file, settings.isStatic);
  loader.addInlineText(here, settings.isStatic);
  addEnvironment(loader.document, source.env, here, problems);
  const names = new NameSpace(source.env, source.hostname, false);
  const reader = new SectionReader(problems, clientContext(source), settings.isContainer, names);
  return {
    unixServers: readUnixServers(loader.document, reader).filter((server) => server.file !== ''),
    inetServers: readInetServers(loader.document, reader).filter((server) => server.port.port !== 0),
    file,
  };
}
