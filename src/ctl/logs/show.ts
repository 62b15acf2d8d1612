/** One run of `logs`: the lines that were written before, then those that follow, filtered, formatted and written. */
import { parseNamespec } from '../../core/namespec.ts';
import { STREAM_NAMES } from '../../core/stream-name.ts';
import { isPattern } from '../../core/name-pattern.ts';
import { ExitCode } from '../exit-codes.ts';
import { waitUntilWritten } from '../follow.ts';
import { InterruptError } from '../errors.ts';
import { showHints } from '../name-hint.ts';
import { selectNamed } from '../names.ts';
import type { Session } from '../session.ts';
import type { ProcessInfo } from '../supervisor-client.ts';
import type { Entry } from './entry.ts';
import { ExitWatch } from './exit-watch.ts';
import { LineFilter } from './filter.ts';
import { follow, type Position } from './follow.ts';
import { type HistoryParts, readHistory } from './history.ts';
import { Joiner, PATIENCE_MS } from './joiner.ts';
import { readSnapshot, type Selection } from './memory.ts';
import type { LogsOptions } from './options.ts';
import { readPreviousRun } from './previous.ts';
import { Renderer } from './render.ts';

/** The name of the supervisor's own log. */
const OWN_NAME = 'supervisor';

/** The programs that the names of the command line mean. */
interface Chosen {
  readonly selection: Selection;
  readonly processes: readonly ProcessInfo[];
}

/** Shows the logs. Sets the exit code 1 if a name is unknown. `from`: shows only what came after this, and follows. */
export async function showLogs(session: Session, options: LogsOptions, from: Position | null = null): Promise<void> {
  // An end that comes after the states were read has a larger number.
  const begun = options.isUntilExit ? await session.client.readLines({ limit: 1 }) : null;
  const known = await session.client.getAllProcessInfo();
  const chosen = await choose(session, options, known);
  if (chosen === null) return;
  const view = new View(session, options, chosen.processes);
  if (options.isPrevious) {
    const parts = historyParts(session);
    for (const proc of chosen.processes)
      for await (const batch of readPreviousRun(session.client, parts, proc, chosen.selection)) await view.show(batch);
    await view.finish();
    return;
  }
  let position = from;
  if (position === null) {
    const isWhole = options.sinceMs !== null || options.untilMs !== null || view.isFiltering;
    const snapshot = await readSnapshot(session.client, chosen.selection, isWhole ? Infinity : options.lines);
    const { processes, selection } = chosen;
    // Lines that do not match are not counted, so their number cannot be limited before.
    const lines = view.isFiltering ? Infinity : options.lines;
    const query = { ...options, processes, streams: selection.streams, snapshot, lines };
    if (options.lines > 0) for await (const batch of readHistory(historyParts(session), query)) await view.show(batch);
    position = snapshot;
  }
  if (!options.isFollowing) return view.finish();
  if (begun !== null) await view.exits.lookBack(session.client, begun.next);
  await view.follow(chosen, position);
  if (options.isUntilExit && session.exitCode === ExitCode.SUCCESS) session.exitCode = view.exits.exitCode;
}

function historyParts({ client, endpoint: { serverUrl }, io: { stderr } }: Session): HistoryParts {
  return { client, serverUrl, warn: (text) => void stderr.write(`${text}\n`) };
}

/** Finds the programs. Returns null if there are none, after a message. */
async function choose(session: Session, options: LogsOptions, known: readonly ProcessInfo[]): Promise<Chosen | null> {
  const streams = options.stream === null ? STREAM_NAMES : [options.stream];
  const hasEvents = options.hasEvents && options.form !== 'raw';
  if (options.names.length === 0) return { selection: { names: [], streams, hasEvents }, processes: known };
  const isOwn = (name: string): boolean => name === OWN_NAME && selectNamed([name], known).length === 0;
  const names = options.names.filter((name) => !isOwn(name));
  const unknown = names.filter((name) => selectNamed([name], known).length === 0);
  const hopeless = unknown.filter((name) => !options.isFollowing || !isPattern(name));
  for (const name of hopeless) {
    const isGroup = parseNamespec(name).process === null;
    session.fail(`${name}: ERROR (no such ${isGroup ? 'group' : 'process'})`, ExitCode.GENERIC);
  }
  await showHints(session, hopeless);
  for (const name of unknown) if (!hopeless.includes(name)) session.io.stderr.write(`no process matches ${name} yet\n`);
  const wanted = names.filter((name) => !hopeless.includes(name));
  const hasOwn = names.length < options.names.length;
  if (wanted.length === 0 && !hasOwn) return null;
  // Without names the supervisor would take all programs.
  const programs = wanted.length === 0 ? [] : streams;
  return {
    selection: { names: wanted, streams: [...programs, ...(hasOwn ? [OWN_NAME] : [])], hasEvents },
    processes: selectNamed(wanted, known),
  };
}

/** The output of one run: joins, filters, counts, formats and writes. */
class View {
  readonly #session: Session;
  readonly #options: LogsOptions;
  readonly #joiner = new Joiner();
  readonly #filter: LineFilter;
  readonly #renderer: Renderer;
  /** The last entries before following, of which only some are wanted; null if all are shown at once. */
  #last: Entry[] | null;
  /** Programs whose end `--until-exit` waits for. */
  readonly exits: ExitWatch;

  constructor(session: Session, options: LogsOptions, processes: readonly ProcessInfo[]) {
    this.#session = session;
    this.#options = options;
    this.#filter = new LineFilter(options);
    this.#last = options.lines === Infinity ? null : [];
    const isTerminal = session.isForPeople && options.form === 'text';
    const wantsColours = session.isForPeople && (session.io.env['NO_COLOR'] ?? '') === '';
    const hasColours = options.form === 'text' && (options.hasColours ?? wantsColours);
    const names = processes.map(({ group, name }) => `${group}:${name}`);
    this.#renderer = new Renderer({ ...options, isTerminal, hasColours }, names);
    this.exits = new ExitWatch(processes);
  }

  get isFiltering(): boolean {
    return this.#filter.isActive;
  }

  /** Shows entries, or keeps the last of them. */
  async show(entries: readonly Entry[]): Promise<void> {
    const nowMs = Date.now();
    const joined = entries.flatMap((entry): readonly Entry[] => {
      if (entry.kind === 'line') return this.#joiner.add(entry, nowMs);
      // The last line of a run may have no end. It stands before the event.
      return entry.members['end'] === undefined ? [entry] : [...this.#joiner.flush(entry.name), entry];
    });
    await this.#pass(joined);
  }

  /** Shows everything that was held back. */
  async finish(): Promise<void> {
    await this.#pass(this.#joiner.flush());
    const last = this.#last;
    this.#last = null;
    if (last !== null && this.#options.lines > 0) await this.#write(last.slice(-this.#options.lines));
  }

  /** Shows what follows a position, until Ctrl-C, until the reader has gone, or until all programs have ended. */
  async follow(chosen: Chosen, from: Position): Promise<void> {
    const { interrupt, gone, client } = this.#session;
    const { hasEvents } = chosen.selection;
    const selection = { ...chosen.selection, hasEvents: hasEvents || this.#options.isUntilExit };
    // A line that has begun before is joined with its rest.
    const last = this.#last ?? [];
    this.#last = null;
    if (this.#options.lines > 0) await this.#write(last.slice(-this.#options.lines));
    const signal = AbortSignal.any([interrupt.signal, gone]);
    const patienceMs = (): number | null => (this.#joiner.isHolding ? PATIENCE_MS : null);
    if (!this.#isDone) {
      for await (const entries of follow({ client, selection, from, patienceMs, signal })) {
        this.exits.note(entries);
        await this.show(entries);
        await this.#pass(this.#joiner.stale(Date.now()));
        if (this.#isDone || gone.aborted) break;
      }
    }
    await this.finish();
    if (interrupt.signal.aborted) throw new InterruptError();
  }

  get #isDone(): boolean {
    return this.#options.isUntilExit && this.exits.isDone;
  }

  async #pass(entries: readonly Entry[]): Promise<void> {
    const { hasEvents, form } = this.#options;
    const visible = entries.filter(
      (entry) => entry.kind === 'line' || entry.event === 'missed' || (hasEvents && form !== 'raw'),
    );
    const chosen = this.#filter.choose(visible);
    if (this.#last === null) {
      await this.#write(chosen);
      return;
    }
    const { lines } = this.#options;
    for (const entry of chosen) this.#last.push(entry);
    if (this.#last.length > 2 * lines + 1000) this.#last = this.#last.slice(-lines);
  }

  async #write(entries: readonly Entry[]): Promise<void> {
    const { io, gone } = this.#session;
    if (entries.length === 0 || gone.aborted) return;
    if (this.#options.form === 'raw')
      for (const entry of entries) if (entry.kind === 'event') io.stderr.write(`${entry.text}\n`);
    const output = this.#renderer.render(entries);
    if (!io.stdout.write(output)) await waitUntilWritten(io.stdout, AbortSignal.any([this.#signal, gone]));
  }

  get #signal(): AbortSignal {
    return this.#session.interrupt.signal;
  }
}
