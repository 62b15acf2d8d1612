/** The messages of the live stream. Types only. */
import type { EventAnswer, StatusAnswer, VersionAnswer } from '../api/types.ts';

export type { VersionAnswer };

/** A JSON object. */
export interface Struct {
  readonly [name: string]: JsonValue;
}

/** A value of JSON. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | Struct;

/** All processes. */
export interface SnapshotMessage {
  readonly seq: number;
  readonly state: string;
  readonly processes: readonly StatusAnswer[];
}

/** The processes that have changed since the message before. */
export interface DeltaMessage {
  readonly processes?: readonly StatusAnswer[];
  readonly removed?: readonly string[];
  readonly events?: readonly EventAnswer[];
  readonly state?: string;
}

/** Usage of one process tree. */
export interface Usage {
  /** Percent of one processor; null in the first measurement. */
  readonly cpu: number | null;
  /** Bytes. */
  readonly memory: number;
  readonly processes: number;
}

/** The usage of all processes at one time. */
export interface UsageMessage {
  readonly at: number;
  readonly processes: Readonly<Record<string, Usage>>;
}

/** A line of a program, or an event among lines (`event` is its kind). */
export interface LineMessage {
  readonly seq: number;
  readonly at: number;
  readonly name?: string;
  readonly stream?: string;
  readonly pid?: number;
  readonly text: string;
  readonly partial?: boolean;
  readonly rest?: boolean;
  readonly event?: string;
}

/** New lines in the order of their numbers. */
export interface LinesMessage {
  readonly lines: readonly LineMessage[];
  readonly missed?: ReadonlyArray<{ readonly name: string; readonly stream: string; readonly bytes: number }>;
}
