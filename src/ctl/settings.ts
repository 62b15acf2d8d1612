/**
 * Where the supervisor is and as whom to talk to it: command line, then `[supervisorctl]` of the configuration, then
 * the supervisor that runs the container, then Supervisor's default. Reads the file through src/config.
 */
import { posix } from 'node:path';
import { noFlags } from '../config/flags.ts';
import type { PluginConfig, Problem } from '../config/model.ts';
import { searchPaths } from '../config/find-files.ts';
import { type CtlReading, readCtlConfig } from '../config/read-for-client.ts';
import type { Source } from '../config/source.ts';
import type { Endpoint } from './transport.ts';
import { type Discovery, noDiscovery } from './discovery.ts';
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

export { controlSocketPaths } from '../core/control-socket.ts';

/** Settings, or the reason why there are none. */
export type SettingsResult =
  { readonly ok: true; readonly settings: CtlSettings } | { readonly ok: false; readonly error: string };

const DEFAULT_URL = 'http://localhost:9001';
const DEFAULT_PROMPT = 'supervisor';
const UNIX = 'unix://';

/** Where the client's file was looked for, and what is known of the supervisor besides. */
interface ChosenFile {
  /** File to read; null for none. */
  readonly path: string | null;
  /** Where the supervisor is if the file does not say. */
  readonly found: Endpoint | null;
  /** False if what the file says of the place does not count. */
  readonly isFileFollowed: boolean;
}

/** Reads the settings. `calledAs` is the path of this program, beside whose directory Supervisor looks for its file. */
export function readSettings(
  options: CtlOptions,
  source: Source,
  calledAs: string,
  discovery: Discovery = noDiscovery,
): SettingsResult {
  const variable = source.env['ONEVISOR_CONF'] ?? null;
  const named = options.file ?? (variable === '' ? null : variable);
  if (named !== null && !source.isFile(posix.resolve(source.cwd, named))) {
    const exists = source.isDirectory(posix.resolve(source.cwd, named));
    return { ok: false, error: exists ? `could not read config file ${named}` : `could not find config file ${named}` };
  }
  // ONEVISOR_CONF set and empty: no file, as for the supervisor.
  const searched =
    named === null && variable !== ''
      ? (searchPaths(calledAs, source.cwd).find((candidate) => source.isFile(candidate)) ?? null)
      : null;
  const files = new CtlFiles(source, calledAs);
  const choice =
    named === null
      ? chooseFound(files, searched, discovery)
      : chooseNamed(posix.resolve(source.cwd, named), files, discovery);
  return readChosen(options, files, choice, discovery.firstPlace);
}

/**
 * A file that was named counts. Where it does not say where the supervisor is, its own server does, then the private
 * control socket.
 */
function chooseNamed(path: string, files: CtlFiles, discovery: Discovery): ChosenFile {
  const found = files.writtenUrl(path) === null ? (discovery.serverOf(path) ?? privateEndpoint(discovery)) : null;
  return { path, found, isFileFollowed: true };
}

/**
 * Without a name, the supervisor that runs the container comes first, with the file that it reads: the image may have
 * another file, as Debian's package has.
 * That file counts only if it names a socket that answers here, which is then that of a second supervisor.
 */
function chooseFound(files: CtlFiles, searched: string | null, discovery: Discovery): ChosenFile {
  const found = discovery.find();
  const url = searched === null ? null : files.writtenUrl(searched);
  if (found === null || (searched !== found.file && url !== null && isAnswered(url, discovery))) {
    return { path: searched, found: privateEndpoint(discovery), isFileFollowed: true };
  }
  // A variable of the file may be set in the supervisor's environment only (an entrypoint has exported it).
  const isReadable = found.file !== null && files.read(found.file).errors.length === 0;
  const own = found.file === null || !isReadable ? null : files.writtenUrl(found.file);
  return {
    path: found.file,
    found,
    isFileFollowed: own !== null && (!own.startsWith(UNIX) || isAnswered(own, discovery)),
  };
}

function isAnswered(url: string, discovery: Discovery): boolean {
  return url.startsWith(UNIX) && discovery.answers(url.slice(UNIX.length));
}

function privateEndpoint(discovery: Discovery): Endpoint | null {
  const socket = discovery.privateSocket();
  return socket === null ? null : { serverUrl: UNIX + socket, username: null, password: null };
}

function readChosen(
  options: CtlOptions,
  files: CtlFiles,
  { path, found, isFileFollowed }: ChosenFile,
  firstPlace: string,
): SettingsResult {
  if (path === null)
    return {
      ok: true,
      settings: fillIn(
        options,
        files.source,
        {},
        { found, fallback: UNIX + firstPlace, warnings: [], plugins: [], path },
      ),
    };
  const { ctl, ctlPlugins: plugins, errors, warnings: remarks } = files.read(path);
  // The supervisor is found without the file: its errors are no reason to give up.
  const isFileNeeded = isFileFollowed || found === null;
  if (errors.length > 0 && isFileNeeded) return { ok: false, error: errors.map(formatProblem).join('\n') };
  const warnings = [...errors, ...remarks];
  if (ctl === null && found === null) return { ok: false, error: '.ini file does not include supervisorctl section' };
  const serverurl = isFileFollowed && files.writtenUrl(path) !== null ? (ctl?.serverurl ?? null) : null;
  return {
    ok: true,
    settings: fillIn(
      options,
      files.source,
      { ...ctl, serverurl },
      { found, fallback: DEFAULT_URL, warnings, plugins, path },
    ),
  };
}

/** Readings of the files that may be the client's. Each file is read once. */
class CtlFiles {
  readonly source: Source;
  readonly #calledAs: string;
  readonly #readings = new Map<string, CtlReading>();

  constructor(source: Source, calledAs: string) {
    this.source = source;
    this.#calledAs = calledAs;
  }

  read(path: string): CtlReading {
    const known = this.#readings.get(path);
    if (known !== undefined) return known;
    const reading = readCtlConfig(this.source, {
      isContainer: false,
      isStatic: false,
      flags: { ...noFlags, file: path },
      executable: this.#calledAs,
    });
    this.#readings.set(path, reading);
    return reading;
  }

  /** `serverurl` of a file, its expansions done; null where it is not written. */
  writtenUrl(path: string): string | null {
    const { ctl, isUrlWritten } = this.read(path);
    // Errors in it are reported when the file is chosen.
    return isUrlWritten ? (ctl?.serverurl ?? DEFAULT_URL) : null;
  }
}

interface FileOptions {
  readonly serverurl?: string | null;
  readonly username?: string | null;
  readonly password?: string | null;
  readonly prompt?: string;
  readonly history_file?: string | null;
}

/** Settings that do not come from the file. */
interface OtherSettings {
  readonly found: Endpoint | null;
  readonly fallback: string;
  readonly warnings: readonly Problem[];
  readonly plugins: readonly PluginConfig[];
  readonly path: string | null;
}

function fillIn(
  options: CtlOptions,
  source: Source,
  file: FileOptions,
  { found, fallback, warnings, plugins, path }: OtherSettings,
): CtlSettings {
  const home = source.env['HOME'];
  // The password of one supervisor must not be sent to the server that -s names.
  const endpoint = options.serverUrl === null ? found : null;
  const history = options.historyFile ?? file.history_file ?? null;
  return {
    serverUrl: options.serverUrl ?? file.serverurl ?? endpoint?.serverUrl ?? fallback,
    username: options.username ?? file.username ?? endpoint?.username ?? null,
    password: options.password ?? file.password ?? endpoint?.password ?? null,
    prompt: file.prompt ?? DEFAULT_PROMPT,
    historyFile:
      history === null
        ? null
        : posix.resolve(source.cwd, home === undefined ? history : history.replace(/^~(?=\/|$)/, home)),
    warnings: warnings.map(formatProblem),
    plugins,
    file: path,
  };
}

function formatProblem({ file, line, section, option, reason }: Problem): string {
  return `${file}:${line}: [${section}]${option === null ? '' : ` ${option}`}: ${reason}`;
}
