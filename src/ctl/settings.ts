/**
 * Where the supervisor is and as whom to talk to it: command line over `[supervisorctl]` of the configuration, over the private
 * control socket that a container has, over Supervisor's default. Reads the file through src/config.
 */
import { statSync } from 'node:fs';
import { posix } from 'node:path';
import { addText, emptyDocument } from '../config/dialect.ts';
import { noFlags } from '../config/flags.ts';
import type { PluginConfig, Problem } from '../config/model.ts';
import { readCtlConfig, searchPaths } from '../config/read.ts';
import type { Source } from '../config/source.ts';
import type { CtlOptions } from './options.ts';

/** What the client runs with. */
export interface CtlSettings {
  readonly serverUrl: string;
  readonly username: string | null;
  readonly password: string | null;
  readonly prompt: string;
  /** Absolute path; null: no history is kept. */
  readonly historyFile: string | null;
  /** What is odd in the file, such as a plug-in that cannot be loaded. */
  readonly warnings: readonly string[];
  /** Modules with further commands, and the file that names them. */
  readonly plugins: readonly PluginConfig[];
  readonly file: string | null;
}

/** Settings, or the reason why there are none. */
export type SettingsOutcome = { readonly ok: true; readonly settings: CtlSettings } | { readonly ok: false; readonly error: string };

const DEFAULT_URL = 'http://localhost:9001';
const DEFAULT_PROMPT = 'supervisor';
const SOCKET_NAME = 'onevisor.sock';

/** Where a supervisor in a container puts its private control socket, the preferred place first. */
export function controlSocketPaths(env: Readonly<Record<string, string | undefined>>): string[] {
  const runtime = env['XDG_RUNTIME_DIR'];
  return ['/run', ...(runtime === undefined || runtime === '' ? [] : [runtime]), '/tmp'].map((directory) => posix.join(directory, SOCKET_NAME));
}

/** Reads the settings. `calledAs` is the path of this program, beside whose directory Supervisor looks for its file. */
export function readSettings(options: CtlOptions, source: Source, calledAs: string, sockets: readonly string[] = controlSocketPaths(source.env)): SettingsOutcome {
  const named = options.file ?? source.env['ONEVISOR_CONF'] ?? null;
  // ONEVISOR_CONF set and empty: no file, as for the supervisor.
  const isNone = options.file === null && named === '';
  if (named !== null && !isNone && !source.isFile(posix.resolve(source.cwd, named))) {
    const exists = source.isDirectory(posix.resolve(source.cwd, named));
    return { ok: false, error: exists ? `could not read config file ${named}` : `could not find config file ${named}` };
  }
  const found = named === null ? searchPaths(calledAs, source.cwd).find((candidate) => source.isFile(candidate)) : posix.resolve(source.cwd, named);
  const path = isNone ? undefined : found;
  const socket = sockets.find(isSocket);
  if (path === undefined) return { ok: true, settings: fillIn(options, source, {}, `unix://${socket ?? sockets[0]}`, []) };

  const written = writtenOptions(path, source);
  const { ctl, ctlPlugins, errors, warnings } = readCtlConfig(source, { isContainer: false, isStatic: false, flags: { ...noFlags, file: path }, executable: calledAs });
  if (errors.length > 0) return { ok: false, error: errors.map(formatProblem).join('\n') };
  if (ctl === null) {
    if (socket === undefined) return { ok: false, error: '.ini file does not include supervisorctl section' };
    return { ok: true, settings: fillIn(options, source, {}, `unix://${socket}`, warnings, ctlPlugins, path) };
  }
  const fallback = socket === undefined ? DEFAULT_URL : `unix://${socket}`;
  return { ok: true, settings: fillIn(options, source, { ...ctl, serverurl: written.has('serverurl') ? ctl.serverurl : null }, fallback, warnings, ctlPlugins, path) };
}

/** Names of the options that stand in the section: their values cannot tell a default from the same text in the file. */
function writtenOptions(path: string, source: Source): ReadonlySet<string> {
  const read = source.read(path);
  const document = emptyDocument();
  if (read.ok) addText(document, read.text, path, posix.dirname(path));
  return new Set([...document.defaults.keys(), ...(document.sections.get('supervisorctl')?.options.keys() ?? [])]);
}

interface Written {
  readonly serverurl?: string | null;
  readonly username?: string | null;
  readonly password?: string | null;
  readonly prompt?: string;
  readonly history_file?: string | null;
}

function fillIn(options: CtlOptions, source: Source, file: Written, fallback: string, warnings: readonly Problem[], plugins: readonly PluginConfig[] = [], path: string | null = null): CtlSettings {
  const home = source.env['HOME'];
  const history = options.historyFile ?? file.history_file ?? null;
  return {
    serverUrl: options.serverUrl ?? file.serverurl ?? fallback,
    username: options.username ?? file.username ?? null,
    password: options.password ?? file.password ?? null,
    prompt: file.prompt ?? DEFAULT_PROMPT,
    historyFile: history === null ? null : posix.resolve(source.cwd, home === undefined ? history : history.replace(/^~(?=\/|$)/, home)),
    warnings: warnings.map(formatProblem),
    plugins,
    file: path,
  };
}

function formatProblem({ file, line, section, option, reason }: Problem): string {
  return `${file}:${line}: [${section}]${option === null ? '' : ` ${option}`}: ${reason}`;
}

function isSocket(path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch {
    // A place that cannot be looked at has no socket that could be used.
    return false;
  }
}
