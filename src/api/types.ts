/**
 * The shapes of the JSON API, types only, for the server and for the dashboard. Facts come from the methods of rpc/;
 * answer-schemas.ts has a schema for each shape, and the compiler holds the two together. Times are milliseconds since
 * 1970 unless documented otherwise. A member without a value is left out.
 */
import type { NamedChanges, PlannedProcesses } from '../core/update-text.ts';
import type { VersionFacts } from '../rpc/version-facts.ts';
import type { ProcessStateName } from '../core/states.ts';
import type { CauseAnswer, EndAnswer, HealthName, ProgramStream } from './process-types.ts';

export type * from './process-types.ts';

/** The body of every answer that is an error. */
export interface ApiErrorBody {
  readonly error: {
    /** For programs: `bad_name`, `unknown_parameter`. Does not change. */
    readonly code: string;
    /** For people. */
    readonly message: string;
  };
}

/** `GET /version`. */
export type VersionAnswer = VersionFacts;

/** `GET /health`. */
export interface HealthAnswer {
  /** As `/readyz`. */
  readonly ready: boolean;
  /** As `/healthz`. */
  readonly alive: boolean;
  /** Reasons why programs are not ready, one line each. */
  readonly problems: readonly string[];
}

/** `GET /groups`. */
export interface GroupsAnswer {
  readonly groups: ReadonlyArray<{
    readonly name: string;
    readonly priority: number;
    /** Display names. */
    readonly processes: readonly string[];
  }>;
}

/** The members of an event besides its number and time. */
export interface EventMembers {
  readonly seq: number;
  readonly at: number;
  /** Display name. Kinds `state`, `ready`, `health`, `held` and `reload`. */
  readonly name?: string;
  /** Kinds `supervisor` and `group`. */
  readonly change?: string;
  readonly group?: string;
  /** Kind `supervisor`: text. Kinds `state` and `reload`: the cause. */
  readonly cause?: string | CauseAnswer;
  /** Kind `request`. */
  readonly target?: string;
  readonly method?: string;
  readonly door?: string;
  readonly peer?: string;
  readonly user?: string;
  readonly text?: string;
  /** Kind `state`. */
  readonly from?: ProcessStateName;
  readonly to?: ProcessStateName;
  readonly run?: number;
  readonly pid?: number;
  readonly end?: EndAnswer;
  /** Kind `health`. */
  readonly health?: HealthName;
  readonly reason?: string;
  /** Kind `held`. */
  readonly hold?: 'waiting' | 'stuck' | 'connection';
  /** Kind `reload`. */
  readonly way?: string;
  readonly signal?: string;
  readonly failure?: string;
}

/** Kinds of events. */
export type EventKind = 'supervisor' | 'request' | 'group' | 'state' | 'ready' | 'health' | 'held' | 'reload';

/** EVENT, as `onevisor.readEvents` has it. */
export interface EventAnswer extends EventMembers {
  readonly kind: EventKind;
}

/** `GET /events`. */
export interface EventsAnswer {
  readonly epoch: string;
  readonly events: readonly EventAnswer[];
  /** False if older events after `after` are no longer kept. */
  readonly complete: boolean;
  /** The next value of `after`. */
  readonly next: number;
}

/** LINE: a line of output. */
export interface LineAnswer {
  readonly seq: number;
  readonly at: number;
  /** Display name of the process, or `supervisor`. */
  readonly name: string;
  readonly stream: ProgramStream | 'supervisor';
  readonly pid: number;
  /** A byte that is not UTF-8 is a lone surrogate U+DC80 to U+DCFF. */
  readonly text: string;
  /** The line has not ended here. */
  readonly partial?: true;
  /** This continues a line that was read before or is lost. */
  readonly rest?: true;
}

/** An event among lines. `text` is for people. */
export interface LineEventAnswer extends EventMembers {
  readonly event: EventKind;
  readonly text: string;
}

/** `GET /logs`. */
export interface LogsAnswer {
  readonly epoch: string;
  /** The next value of `after`. */
  readonly next: number;
  /** True if a limit left out lines. */
  readonly more: boolean;
  readonly lines: ReadonlyArray<LineAnswer | LineEventAnswer>;
  readonly missed: ReadonlyArray<{ readonly name: string; readonly stream: string; readonly bytes: number }>;
  /** With a filter and without `after`, if earlier lines were not searched: the next value of `before`. */
  readonly earlier?: number;
}

/** A result of a change. `text` has the words of the client of the terminal. */
export interface ChangeResult {
  /** Display name of the process, or the name of the group or program. */
  readonly name: string;
  readonly ok: boolean;
  readonly text: string;
}

/** CHANGE: a change that was requested. */
export interface ChangeAnswer {
  /** `EPOCH-N`. */
  readonly id: string;
  /** `start`, `stop`, `update`. */
  readonly action: string;
  /** Names as the client gave them. */
  readonly names: readonly string[];
  /** The client. */
  readonly by: string;
  readonly at: number;
  readonly status: 'running' | 'done' | 'failed';
  /** Time of the end. */
  readonly ended?: number;
  readonly results: readonly ChangeResult[];
  /** True if results are missing here, because there were too many. */
  readonly capped?: true;
  readonly error?: string;
}

/** `GET /changes`. The latest change comes last. */
export interface ChangesAnswer {
  readonly changes: readonly ChangeAnswer[];
}

/** Plan of the update of a group. */
export type GroupPlanAnswer = PlannedProcesses;

/** `GET /config/pending`. */
export interface PendingAnswer extends NamedChanges {
  /** Plans of the changed groups; null for a group that is replaced as a whole. */
  readonly plans: Readonly<Record<string, GroupPlanAnswer | null>>;
  readonly settings: { readonly live: readonly string[]; readonly pending: readonly string[] };
  readonly notifications: NamedChanges;
  /** The lines of `onevisor update --dry-run`. */
  readonly text: readonly string[];
}

/** A value of an option. */
export type OptionValue =
  null | boolean | number | string | readonly OptionValue[] | { readonly [name: string]: OptionValue };

/** An option of the effective configuration. */
export interface OptionAnswer {
  readonly name: string;
  /** `***` in place of a secret, or of a part that may be one. */
  readonly value: OptionValue;
  /** True if the configuration sets it. False for a default, or an inherited value. */
  readonly set: boolean;
  /** Place of an option that is set. A value that is not from a file has line 0, and here the name of its variable. */
  readonly file?: string;
  readonly line?: number;
}

/** A section of the effective configuration: `supervisord`, `program:web`, `notify:mail`. */
export interface SectionAnswer {
  readonly section: string;
  /** Display name of the process; a program with `numprocs` has a section for each. */
  readonly process?: string;
  readonly options: readonly OptionAnswer[];
}

/** `GET /config`: the sections of the supervisor and of its processes, without options at their default. */
export interface ConfigAnswer {
  /** Path of the file; null if only the environment and the command line configure the supervisor. */
  readonly file: string | null;
  readonly included: readonly string[];
  readonly sections: readonly SectionAnswer[];
}

/** Body of `POST /start`, `/stop` and `/restart`. */
export interface NamesBody {
  readonly names: readonly string[];
  /** `/restart` only: one process after the other. */
  readonly rolling?: boolean;
}

/** Body of `POST /processes/{name}/signal`. */
export interface SignalBody {
  /** `HUP`, `SIGHUP` or a number. */
  readonly signal: string | number;
}

/** Body of `POST /processes/{name}/stdin`. */
export interface StdinBody {
  readonly text: string;
}

/** Body of `POST /programs/{name}/scale`. */
export interface ScaleBody {
  readonly count: number;
}

/** Body of `POST /config/update`. */
export interface UpdateBody {
  /** Names of groups; all groups if it is missing or empty. */
  readonly groups?: readonly string[];
  readonly dry_run?: boolean;
}

/** Samples of the processor time and the memory of a process, in their order. */
export interface UsageSamples {
  /** Milliseconds since 1970. */
  readonly at: readonly number[];
  /** Percent of a processor; null for the first sample of a run. */
  readonly cpu: ReadonlyArray<number | null>;
  /** Resident bytes. */
  readonly memory: readonly number[];
}

/** The kept samples by the names of processes. */
export interface UsageHistoryAnswer {
  readonly interval_ms: number;
  readonly series: Readonly<Record<string, UsageSamples>>;
}
