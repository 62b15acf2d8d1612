/**
 * What a configuration is, once read: values and their types, no behaviour.
 * Options keep the names and units of the file (seconds, bytes); options.ts is the table they come from.
 */
import type {
  EventListenerOptions,
  FcgiProgramOptions,
  ProgramOptions,
  SupervisordOptions,
  UnixServerOptions,
  InetServerOptions,
  CtlOptions,
} from './options.ts';
import type { Condition } from '../core/process-record.ts';

/**
 * A place in a configuration: a file and a line, the first being 1. What does not come from a file has line 0, and
 * for a file the name of the environment variable (`ONEVISOR_PROGRAM_WEB__USER`) or of the flag (`--logfile`).
 */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
}

/** One thing wrong with a configuration. Printed as `FILE:LINE: [section] option: reason`. */
export interface Problem extends SourceLocation {
  readonly section: string;
  readonly option: string | null;
  /** What is wrong and what would be right, without the place. */
  readonly reason: string;
}

/** One process that another one waits for. */
export interface Dependency {
  readonly group: string;
  readonly process: string;
  /**
   * Any one of these; `started` without a health check of that process, `healthy` with one, unless something else is
   * asked for.
   */
  readonly conditions: readonly Condition[];
}

/**
 * An `[rpcinterface:x]` or `[ctlplugin:x]`. A factory that is a path is a JavaScript module; what Python it may name is
 * built in, or not there.
 */
export interface PluginConfig {
  readonly name: string;
  readonly factory: string;
  readonly options: ReadonlyMap<string, string>;
}

/**
 * What a `[program:x]`, `[eventlistener:x]` or `[fcgi-program:x]` makes: one process (numprocs=3 makes three of these).
 */
export interface ProcessConfig {
  /** Effective `process_name`, unique within its group. */
  readonly name: string;
  readonly group: string;
  /** The x of the section. */
  readonly program: string;
  /** Number within numprocs, numprocs_start included. */
  readonly number: number;
  readonly type: 'program' | 'eventlistener' | 'fcgi-program';
  readonly options: ProgramOptions & Partial<EventListenerOptions> & Partial<FcgiProgramOptions>;
  /** The command line split as a POSIX shell would (shlex); empty where that is not possible. */
  readonly argv: readonly string[];
  /**
   * Why the command line cannot be split; null where it can.
   * compat: Supervisor accepts such a program, and fails to start it.
   */
  readonly commandError: string | null;
  /** `depends_on`, its names resolved and its conditions filled in. */
  readonly dependsOn: readonly Dependency[];
  /**
   * Streams that are also written to our stdout, with a prefix, because the file asks for that with a plug-in we
   * replace.
   */
  readonly echoed: ReadonlyArray<'stdout' | 'stderr'>;
  /** What `command` stands at, or the section where there is none. */
  readonly place: SourceLocation;
}

/** A group: of `[group:x]`, or the one that each ungrouped program has by itself. */
export interface GroupConfig {
  readonly name: string;
  readonly priority: number;
  readonly type: 'program' | 'eventlistener' | 'fcgi-program';
  /** In order of priority, else as `programs` names them, and those of one program by name. */
  readonly processes: readonly ProcessConfig[];
}

/** A whole configuration, valid in itself. */
export interface Config {
  readonly supervisord: SupervisordOptions;
  /** In order of priority, then name. */
  readonly groups: readonly GroupConfig[];
  /**
   * Groups that are in the file but are never started: what their plug-in does is built in, or a group before has the
   * name.
   */
  readonly setAside: readonly GroupConfig[];
  /**
   * Seconds from a stop signal to our own end: `stop_budget` or what it is without that; null where nothing limits it
   * but `shutdown_timeout`.
   */
  readonly stopBudget: number | null;
  /** `stopwaitsecs` of the main program, if it is set: only then may it get SIGKILL in init mode. */
  readonly mainStopWait: number | null;
  /** Name of the group of the main program (`-- CMD ARG…`); null without one. */
  readonly main: string | null;
  readonly unixServers: readonly UnixServerOptions[];
  /** Those that may be opened: one without a password on other interfaces than loopback is left out, with a warning. */
  readonly inetServers: readonly InetServerOptions[];
  readonly ctl: CtlOptions | null;
  readonly rpcInterfaces: readonly PluginConfig[];
  readonly ctlPlugins: readonly PluginConfig[];
  /** Absolute path of the file; null when the environment alone configures us. */
  readonly file: string | null;
  /** Files read by [include], in order. */
  readonly included: readonly string[];
}

/** Outcome of reading a configuration: a Config, or at least one error. */
export type Reading =
  | { readonly config: Config; readonly errors: readonly []; readonly warnings: readonly Problem[] }
  | { readonly config: null; readonly errors: readonly Problem[]; readonly warnings: readonly Problem[] };
