/**
 * What a configuration is, once read: values and their types, no behaviour.
 * Options keep the names and units of the file (seconds, bytes); options.ts is the table they come from.
 */
import type { EventListenerOptions, FcgiProgramOptions, ProgramOptions, SupervisordOptions, UnixServerOptions, InetServerOptions, CtlOptions, RpcInterfaceOptions, CtlPluginOptions } from './options.ts';

/** A place in a configuration: file (or `environment`) and line, the latter 1 for the first one, 0 where there is none. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** One thing wrong with a configuration. Printed as `FILE:LINE: [section] option: reason`. */
export interface Problem extends Place {
  readonly section: string;
  readonly option: string | null;
  /** What is wrong and what would be right, without the place. */
  readonly reason: string;
}

/** What a `[program:x]`, `[eventlistener:x]` or `[fcgi-program:x]` makes: one process (numprocs=3 makes three of these). */
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
  /** The command line split as a POSIX shell would (shlex). */
  readonly argv: readonly string[];
  readonly place: Place;
}

/** A group: of `[group:x]`, or the one that each ungrouped program has by itself. */
export interface GroupConfig {
  readonly name: string;
  readonly priority: number;
  readonly type: 'program' | 'eventlistener' | 'fcgi-program';
  /** In order of priority, then name. */
  readonly processes: readonly ProcessConfig[];
}

/** A whole configuration, valid in itself. */
export interface Config {
  readonly supervisord: SupervisordOptions;
  /** In order of priority, then name. */
  readonly groups: readonly GroupConfig[];
  readonly unixServers: readonly UnixServerOptions[];
  readonly inetServers: readonly InetServerOptions[];
  readonly ctl: CtlOptions | null;
  readonly rpcInterfaces: readonly RpcInterfaceOptions[];
  readonly ctlPlugins: readonly CtlPluginOptions[];
  /** Absolute path of the file; null when the environment alone configures us. */
  readonly file: string | null;
  /** Files read by [include], in order. */
  readonly included: readonly string[];
}

/** Outcome of reading a configuration: a Config, or at least one error. */
export type Reading =
  | { readonly config: Config; readonly errors: readonly []; readonly warnings: readonly Problem[] }
  | { readonly config: null; readonly errors: readonly Problem[]; readonly warnings: readonly Problem[] };
