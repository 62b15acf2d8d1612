/**
 * The result of reading a configuration: values and their types, no behaviour. Options keep the names and units of the
 * file (seconds, bytes); they come from the tables in options.ts.
 */
import type { Condition } from '../core/process-record.ts';
import type { StreamName } from '../core/stream-name.ts';
import type {
  ApiUserOptions,
  CtlOptions,
  DashboardOptions,
  EventListenerOptions,
  FcgiProgramOptions,
  InetServerOptions,
  NotifyOptions,
  ProgramOptions,
  SupervisordOptions,
  UnixServerOptions,
} from './options.ts';

/**
 * A place in a configuration: a file and a line, counted from 1. A value that is not from a file has line 0, and for a
 * file the name of the environment variable (`ONEVISOR_PROGRAM_WEB__USER`) or of the flag (`--logfile`).
 */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
}

/** The places of the options that a section sets, by their names. */
export type OptionPlaces = ReadonlyMap<string, SourceLocation>;

/** One error or warning of a configuration. Printed as `FILE:LINE: [section] option: reason`. */
export interface Problem extends SourceLocation {
  readonly section: string;
  readonly option: string | null;
  /** The problem and its way out, without the place. */
  readonly reason: string;
}

/** One process that another process waits for. */
export interface Dependency {
  readonly group: string;
  readonly process: string;
  /**
   * Any condition of these is enough. Without conditions in the file: `healthy` for a process with a health check,
   * `started` for others.
   */
  readonly conditions: readonly Condition[];
  /** True if a new run of it restarts the process (`:restart`). */
  readonly isFollowed: boolean;
}

/**
 * An `[rpcinterface:x]` or `[ctlplugin:x]`. A factory that is a path is a JavaScript module. A factory in Python is
 * built in or cannot be loaded.
 */
export interface PluginConfig {
  readonly name: string;
  readonly factory: string;
  readonly options: ReadonlyMap<string, string>;
}

/** Options that a program takes from [supervisord] if it does not set them itself. */
export type InheritedOption =
  | 'log_format'
  | 'log_prefix'
  | 'log_timestamp'
  | 'log_json_lines'
  | 'log_partial_after'
  | 'rotate_interval'
  | 'tail_bytes'
  | 'expand_file_variables'
  | 'compress'
  | 'logfile_mkdir'
  | 'log_multiline';

/** The values of these options. The inheritance is done, so they are values of [supervisord] or of the same types. */
export type InheritedOptions = Pick<SupervisordOptions, InheritedOption>;

/** Options of one process. */
export type ProcessOptions = Omit<ProgramOptions, InheritedOption> &
  InheritedOptions &
  Partial<EventListenerOptions> &
  Partial<FcgiProgramOptions>;

/** One process of a `[program:x]`, `[eventlistener:x]` or `[fcgi-program:x]`. numprocs=3 makes three processes. */
export interface ProcessConfig {
  /** Effective `process_name`, unique within its group. */
  readonly name: string;
  readonly group: string;
  /** The x of the section. */
  readonly program: string;
  /** Number within numprocs, numprocs_start included. */
  readonly number: number;
  readonly type: 'program' | 'eventlistener' | 'fcgi-program';
  readonly options: ProcessOptions;
  /** Words of the command line, split as Python's shlex does; empty if the command line cannot be split. */
  readonly argv: readonly string[];
  /**
   * Reason why the command line cannot be split; null if it can.
   * compat: Supervisor accepts such a program, and fails to start it.
   */
  readonly commandError: string | null;
  /** `depends_on` and `dependent_startup_wait_for`, with names resolved and conditions filled in. */
  readonly dependsOn: readonly Dependency[];
  /** Streams that are also written to our stdout, with a prefix, in place of the plug-in supervisor-stdout. */
  readonly echoed: readonly StreamName[];
  /** `numprocs` of the configuration if a client has scaled the program to another number; null otherwise. */
  readonly scaledFrom: number | null;
  /** Place of `command`, or of the section if there is no command. */
  readonly place: SourceLocation;
  /** Place of `listen`, or of the section without it. */
  readonly listenPlace: SourceLocation;
  /** The places of the options that its section, or a section that this falls back to, sets. */
  readonly optionPlaces: OptionPlaces;
}

/** A group: of `[group:x]`, or the group that each other program has by itself. */
export interface GroupConfig {
  readonly name: string;
  readonly priority: number;
  readonly type: 'program' | 'eventlistener' | 'fcgi-program';
  /** Sorted by priority, then by the order in `programs`, then by name. */
  readonly processes: readonly ProcessConfig[];
}

/** A `[notify:x]`. */
export interface NotifyConfig {
  /** The x of the section. */
  readonly name: string;
  readonly options: NotifyOptions;
  /** The program that `command` is run as. */
  readonly runner: ProcessConfig;
}

/** An `[api_user:x]`. */
export interface ApiUserConfig {
  /** The x of the section: the user name. */
  readonly name: string;
  readonly options: ApiUserOptions;
  /** The password, from `password` or `password_file`. Null if files are not read (`--static`). Never shown. */
  readonly password: string | null;
}

/** A whole configuration, valid in itself. */
export interface Config {
  readonly supervisord: SupervisordOptions;
  /** Sorted by priority, then by name. */
  readonly groups: readonly GroupConfig[];
  /** Groups that are never started: their plug-in is built in, or another group has the name already. */
  readonly setAside: readonly GroupConfig[];
  /**
   * Seconds from a stop signal to our own exit: `stop_budget` or its default. Null if nothing but `shutdown_timeout`
   * limits that time.
   */
  readonly stopBudget: number | null;
  /** `stopwaitsecs` of the main program if it is set. In init mode the program gets SIGKILL only then. */
  readonly mainStopWait: number | null;
  /** Name of the group of the main program (`-- CMD ARG…`); null without a main program. */
  readonly main: string | null;
  readonly unixServers: readonly UnixServerOptions[];
  /**
   * Servers to open. The address of a server without a password is changed to loopback, with a warning, unless
   * `allow_insecure` is set.
   */
  readonly inetServers: readonly InetServerOptions[];
  readonly apiUsers: readonly ApiUserConfig[];
  readonly ctl: CtlOptions | null;
  readonly rpcInterfaces: readonly PluginConfig[];
  readonly ctlPlugins: readonly PluginConfig[];
  readonly notifications: readonly NotifyConfig[];
  readonly dashboard: DashboardOptions;
  /** Absolute path of the file; null if only environment and command line configure us. */
  readonly file: string | null;
  /** The places of the options of all sections but programs, by the names of the sections. */
  readonly sectionPlaces: ReadonlyMap<string, OptionPlaces>;
  /** Files read by [include], in order. */
  readonly included: readonly string[];
  /** Absolute paths, and patterns of `[include]`, of everything that is read (core/path-pattern.ts). */
  readonly sources: readonly string[];
}

/** Outcome of reading a configuration: a Config, or at least one error. */
export type Reading =
  | { readonly config: Config; readonly errors: readonly []; readonly warnings: readonly Problem[] }
  | { readonly config: null; readonly errors: readonly Problem[]; readonly warnings: readonly Problem[] };
