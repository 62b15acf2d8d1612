/**
 * The transcripts of the last release: texts that clients saw, shapes of answers, requests of its own client, and
 * options of configurations. `node test/upgrade/record.ts` writes them.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Shape } from './shape.ts';

export const ROOT = join(import.meta.dirname, '..', '..');
const FOLDER = join(import.meta.dirname, 'transcripts');

/** A command of the client, with its exit code and output. */
export interface CommandRecord {
  readonly args: readonly string[];
  readonly code: number;
  readonly stdout: string;
}

/** A request that the client of the last release sent, and the shape of its answer. */
export interface RequestRecord {
  readonly command: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly status: number;
  readonly shape: Shape;
}

/** An XML-RPC call, or a request to the JSON API, with the shape of its answer. */
export interface AnswerRecord {
  readonly call: string;
  readonly shape: Shape;
}

/** Facts that a supervisor of a version showed to its clients. */
export interface Conversation {
  readonly commands: readonly CommandRecord[];
  readonly requests: readonly RequestRecord[];
  readonly calls: readonly AnswerRecord[];
  /** Names of the methods, with their signatures. */
  readonly methods: Readonly<Record<string, string>>;
  readonly api: readonly AnswerRecord[];
  /** Method and path of each operation of the API. */
  readonly operations: readonly string[];
  /** Bytes that an event listener got, with numbers replaced. */
  readonly events: string;
}

/** Effective options of one configuration: those that differ from the defaults of the same file. */
export interface ConfigurationRecord {
  readonly name: string;
  readonly text: string;
  readonly options: Readonly<Record<string, readonly Options[]>>;
}

export type Options = Readonly<Record<string, unknown>>;

export interface Configurations {
  readonly defaults: Readonly<Record<string, Options>>;
  readonly configurations: readonly ConfigurationRecord[];
}

/** The record of a release. */
export interface Index {
  readonly version: string;
  /** SHA-256 of each file, so that a file that is changed by hand is noticed. */
  readonly files: Readonly<Record<string, string>>;
  /** Lines of changes.md that explain why the transcripts differ from those before. */
  readonly changes: readonly string[];
}

export const FILES = ['conversation.json', 'configurations.json'] as const;

export function pathOf(name: string): string {
  return join(FOLDER, name);
}

export function read(name: string): unknown {
  return JSON.parse(readFileSync(pathOf(name), 'utf8'));
}

export function format(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}

export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The text of changes.md without its line breaks, so that a sentence is found. */
export function changesText(): string {
  return unwrap(readFileSync(join(ROOT, 'src/manual/changes.md'), 'utf8'));
}

export function unwrap(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
