/**
 * Options of `[eventlistener:x]`: event names, result handlers, and listeners whose work is built in. A Python plug-in
 * runs if it is installed; this file only names its replacement. Pure.
 */
import { eventTypes } from '../core/event-types.ts';
import type { Host } from './datatype.ts';
import type { Document } from './dialect.ts';
import { findListener } from './known-plugins.ts';
import type { ProcessConfig } from './model.ts';
import { formatSuggestion } from './nearest.ts';
import { type EventListenerOptions, listenerOptions } from './options.ts';
import { prefixes } from './section-names.ts';
import type { SectionView } from './section-view.ts';

/** Result handler of supervisor-stdout, whose work is built in. */
const STDOUT_PLUGIN = 'supervisor_stdout:event_handler';

/** True if a listener has a `result_handler` other than the default. It is Python code, which cannot be loaded. */
export function hasForeignResultHandler({ result_handler: name }: Partial<EventListenerOptions>): boolean {
  return name !== undefined && name !== listenerOptions.result_handler.default;
}

/**
 * True if a listener does the work of supervisor-stdout, which is built in. A copy of the plug-in has another name, so
 * the events decide: a foreign result handler that gets only output of programs can have no other work than to write
 * it.
 */
export function isStdoutPlugin(options: Partial<EventListenerOptions>): boolean {
  const { events = [], result_handler: name } = options;
  const getsOnlyOutput = events.length > 0 && events.every((event) => event.startsWith('PROCESS_LOG'));
  return name === STDOUT_PLUGIN || (hasForeignResultHandler(options) && getsOnlyOutput);
}

/** True if a listener runs supervisord-dependent-startup, whose work is built in. */
export function isStartupPlugin({ type, argv }: Pick<ProcessConfig, 'type' | 'argv'>): boolean {
  const program = /(^|\/)supervisord[-_]dependent[-_]startup(\.py)?$/;
  return type === 'eventlistener' && argv.some((word) => program.test(word));
}

/** Checks the event names and the result handler of a listener. Returns the options with event names in capitals. */
export function checkListenerOptions(view: SectionView, options: EventListenerOptions): EventListenerOptions {
  const events = options.events.map((name) => name.toUpperCase());
  if (view.isSet('events') && events.length === 0)
    view.error('events', 'is empty; name the events, for example events=PROCESS_STATE');
  for (const name of events) {
    if (eventTypes.some((known) => known === name)) continue;
    view.error('events', `there is no event named "${name}"${formatSuggestion(name, eventTypes)}`);
  }
  const listener = { ...options, events };
  const warning = explainResultHandler(listener);
  if (warning !== null) view.warn('result_handler', warning);
  return listener;
}

const STDOUT_BUILT_IN =
  'built in: the output is written with the name of the program before each line, and this listener is not started';

/** Returns a warning about a result handler in Python; null for the default one. */
function explainResultHandler(options: Pick<EventListenerOptions, 'events' | 'result_handler'>): string | null {
  const { result_handler: name } = options;
  if (name === STDOUT_PLUGIN) return `the work of supervisor_stdout is ${STDOUT_BUILT_IN}`;
  if (!hasForeignResultHandler(options)) return null;
  const reason = `"${name}" is Python and cannot be loaded`;
  if (!isStdoutPlugin(options)) return `${reason}; every result but FAIL is accepted`;
  return (
    `${reason}; with these events it does the work of supervisor_stdout, which is ${STDOUT_BUILT_IN}; ` +
    'to start it, remove result_handler'
  );
}

/** Returns the options that listeners of this configuration, known plug-ins, read from the sections of programs. */
export function pluginOptions(document: Document): string[] {
  const listeners = [...document.sections.values()].filter(({ name }) => name.startsWith(prefixes.eventlistener));
  return listeners.flatMap(({ options }) => {
    const words = (options.get('command')?.value ?? '').split(/\s+/);
    return findListener(words)?.plugin.options ?? [];
  });
}

/** Machine that a listener would run on. */
export interface ListenerHost {
  /** Null: no look-up that depends on the host is made. */
  readonly host: Host | null;
  /** PATH of the supervisor. */
  readonly path: string | undefined;
}

/** Names the built-in replacement of a listener that is a known plug-in, if its program is not installed. */
export function reportKnownListener(proc: ProcessConfig, view: SectionView, { host, path }: ListenerHost): void {
  const started = findListener(proc.argv);
  if (started === undefined) return;
  const { plugin, program } = started;
  const [command = ''] = proc.argv;
  const folders = (proc.options.environment.get('PATH') ?? path ?? '').split(':');
  const candidatesOf = (word: string): string[] =>
    word.includes('/') ? [word] : folders.map((folder) => `${folder}/${word}`);
  // An interpreter finds a name without a slash in its own way: a module, or a file of its directory.
  const files = program !== command && program.includes('/') ? [command, program] : [command];
  if (host === null) {
    view.warn('command', `"${plugin.name}" needs Python; ${plugin.instead}`);
    return;
  }
  const missing = files.find((word) => !candidatesOf(word).some((file) => host.isFile(file)));
  if (missing !== undefined) view.warn('command', `"${missing}" is not installed; ${plugin.instead}`);
}
