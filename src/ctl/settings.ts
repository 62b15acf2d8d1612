/**
 * The settings of the client: address, user and password of the supervisor. The order of priority is the command line,
 * `[supervisorctl]` of the configuration, the supervisor that runs the container, and Supervisor's default. Reads the
 * file through src/config.
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

/** Settings of the client. */
export interface CtlSettings {
  readonly serverUrl: string;
  readonly origin: string;
  readonly username: string | null;
  readonly password: string | null;
  readonly prompt: string;
  /** Absolute path; null for no history. */
  readonly historyFile: string | null;
  /** Warnings about the file, for example about a plug-in that cannot be loaded. */
  readonly warnings: readonly string[];
  /** Plug-ins, and the file that names them. */
  readonly plugins: readonly PluginConfig[];
  readonly file: string | null;
}

/** The settings, or an error message. */
export type SettingsResult =
  { readonly ok: true; readonly settings: CtlSettings } | { readonly ok: false; readonly error: string };

const DEFAULT_URL = 'http://localhost:9001';
const DEFAULT_PROMPT = 'supervisor';
const UNIX = 'unix://';

/** The configuration file to read, and the supervisor that was found. */
interface ChosenFile {
  /** File to read; null for none. */
  readonly path: string | null;
  /** The supervisor to use if the file has no address. */
  readonly found: Endpoint | null;
  /** False to ignore the address in the file. */
  readonly isFileFollowed: boolean;
}

/**
 * Reads the settings. `calledAs` is our path: Supervisor also searches its file near the program.
 */
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
  // As for the supervisor, an empty ONEVISOR_CONF means no file.
  const searched =
    named === null && variable !== ''
      ? (searchPaths(calledAs, source.cwd).find((candidate) => source.isFile(candidate)) ?? null)
      : null;
  const files = new CtlFiles(source, calledAs);
  const choice =
    named === null
      ? chooseFound(files, searched, discovery)
      : chooseNamed(posix.resolve(source.cwd, named), files, discovery);
  return readChosen(options, files, choice, discovery.firstAddress);
}

/**
 * Uses a file that the user has named, or that the search has found. If it has no address for the client, the server
 * that it configures is used, then the private control socket.
 */
function chooseNamed(path: string, files: CtlFiles, discovery: Discovery): ChosenFile {
  const found = files.writtenUrl(path) === null ? (discovery.serverOf(path) ?? privateEndpoint(discovery)) : null;
  return { path, found, isFileFollowed: true };
}

/**
 * Chooses the file and the supervisor if the user has named no file. The supervisor that runs the container has
 * priority, with the file that it reads, because the image may contain another file (Debian's package installs one).
 * A file from the search has priority only if a server answers on its socket here: that is a second supervisor.
 */
function chooseFound(files: CtlFiles, searched: string | null, discovery: Discovery): ChosenFile {
  const found = discovery.find();
  const url = searched === null ? null : files.writtenUrl(searched);
  if (found === null || (searched !== found.file && url !== null && isAnswered(url, discovery))) {
    return searched === null
      ? { path: null, found: privateEndpoint(discovery), isFileFollowed: true }
      : chooseNamed(searched, files, discovery);
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
  firstAddress: string,
): SettingsResult {
  if (path === null)
    return {
      ok: true,
      settings: fillIn(
        options,
        files.source,
        {},
        { found, fallback: UNIX + firstAddress, warnings: [], plugins: [], path },
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

/** Reads the configuration files of the client, each once. */
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

  /** Returns `serverurl` of a file, expanded; null if the file does not have it. */
  writtenUrl(path: string): string | null {
    const { ctl, isUrlWritten } = this.read(path);
    // Errors in the file are reported when the file is chosen.
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

/** Settings that do not come from the section `[supervisorctl]`. */
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
  // The password of the supervisor that was found must not be sent to the server that -s names.
  const endpoint = options.serverUrl === null ? found : null;
  const written = file.serverurl ?? null;
  return {
    serverUrl: options.serverUrl ?? written ?? endpoint?.serverUrl ?? fallback,
    origin: describeOrigin(options.serverUrl !== null, written === null ? null : path, endpoint !== null),
    username: options.username ?? file.username ?? endpoint?.username ?? null,
    password: options.password ?? file.password ?? endpoint?.password ?? null,
    prompt: file.prompt ?? DEFAULT_PROMPT,
    historyFile: resolveHistory(options.historyFile ?? file.history_file ?? null, source),
    warnings: warnings.map(formatProblem),
    plugins,
    file: path,
  };
}

/** Describes where the address comes from. `file` is the file that names it; null if none does. */
function describeOrigin(isGiven: boolean, file: string | null, isFound: boolean): string {
  if (isGiven) return 'from -s';
  if (file !== null) return `from ${file}`;
  return isFound ? 'of the supervisor of this container' : 'the default, as no supervisor was found here';
}

/** Makes the path of the history file absolute; `~` is the home directory. */
function resolveHistory(path: string | null, { cwd, env }: Source): string | null {
  if (path === null) return null;
  const home = env['HOME'];
  return posix.resolve(cwd, home === undefined ? path : path.replace(/^~(?=\/|$)/, home));
}

function formatProblem({ file, line, section, option, reason }: Problem): string {
  return `${file}:${line}: [${section}]${option === null ? '' : ` ${option}`}: ${reason}`;
}
