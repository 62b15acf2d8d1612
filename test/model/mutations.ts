/**
 * Changed engines: each has one mistake in a copy of src/engine and src/core, and breaks one promise. They show that
 * the search would see such a mistake.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Engine } from '../../src/engine/engine.ts';
import type { Promised } from './properties.ts';

const SOURCES = join(import.meta.dirname, '../../src');

/** One mistake. */
export interface Mutation {
  /** The promises that it may break. The search reports the one with the shortest path. */
  readonly breaks: readonly Promised[];
  readonly what: string;
  /** File below src/. */
  readonly file: string;
  /** The text in the file, and the text in its place. */
  readonly from: string;
  readonly to: string;
  /** A second guard of the same file, which is taken out with the first. */
  readonly alsoFrom?: string;
  /** The model that shows it. */
  readonly model: string;
}

const CHAIN = 'a chain of services';
const JOB = 'a job, a server that needs it, and a worker';
const HOOKS = 'hooks and remaining processes';
const LIMITS = 'limits of a shutdown, and a reload';

/** At least one mistake for each promise. */
export const mutations: readonly Mutation[] = [
  {
    breaks: ['TERM leads to the end'],
    what: 'a shutdown does not hear of stopped processes',
    file: 'engine/engine.ts',
    from: 'return this.#shutdown.stopped({ ...entry, record });',
    to: 'return;',
    model: CHAIN,
  },
  {
    breaks: ['TERM leads to the end'],
    what: 'processes that survive SIGKILL are waited for',
    file: 'core/shutdown-machine.ts',
    from: "const deadlineMs = goal === 'restart' || ids.length === 0 ? null : atMs + killWaitMs(limits);",
    to: 'const deadlineMs = killWaitMs(limits) > 0 || atMs < 0 || goal.length === 0 ? null : 0;',
    model: LIMITS,
  },
  {
    breaks: ['no start after the end began'],
    what: 'a start does not look at the shutdown',
    file: 'engine/engine.ts',
    from: "if ((isStart || input.type === 'awaitConnection') && this.#shutdown.phase !== 'running') return;",
    to: '',
    alsoFrom: "if (!isStart || this.#shutdown.phase === 'running')",
    model: LIMITS,
  },
  {
    breaks: ['no start after the end began'],
    what: 'starts of later ranks go on',
    file: 'engine/shutdown.ts',
    from: '[...stopped, ...unexecuted.map(({ id }) => id)]',
    to: '[...stopped, ...unexecuted.slice(unexecuted.length).map(({ id }) => id)]',
    model: LIMITS,
  },
  {
    // The search sees the alarm of the next try first.
    breaks: ['no start after the end began', 'TERM leads to the end'],
    what: 'a failed start is tried again during a shutdown',
    file: 'engine/engine.ts',
    from: "if (to === 'BACKOFF') this.#queue",
    to: "if (to === 'UNKNOWN') this.#queue",
    model: LIMITS,
  },
  {
    breaks: ['a failed program ends the container'],
    what: 'a blocked program is no failure',
    file: 'engine/engine.ts',
    from: "if (record.hold?.kind === 'stuck') this.#shutDownIfBlocked(entry);",
    to: '',
    model: JOB,
  },
  {
    breaks: ['a failed program ends the container'],
    what: 'FATAL does not count',
    file: 'core/exit-policy.ts',
    from: "(record.state === 'FATAL' || !expected)) return 'exit_on_failure'",
    to: "record.state !== 'FATAL' && !expected) return 'exit_on_failure'",
    model: HOOKS,
  },
  {
    breaks: ['no dependent before its condition'],
    what: 'a held start happens',
    file: 'core/process-machine.ts',
    from: 'if (hold === null) return launch(now',
    to: 'if (hold === null || now.record.run === 0) return launch(now',
    model: CHAIN,
  },
  {
    breaks: ['no dependent before its condition'],
    what: 'a job that failed counts as completed',
    file: 'core/start-hold.ts',
    from: 'isExpectedExit(record.exit, exitCodes);\n  switch',
    to: 'exitCodes.length > 0;\n  switch',
    model: JOB,
  },
  {
    breaks: ['one exit for each spawn'],
    what: 'a stop forgets the process',
    file: 'core/process-machine.ts',
    from: "now.become('STOPPING', { signalsSent: 0, stopCause: cause });\n  if",
    to: "now.become('STOPPING', { pid: null, signalsSent: 0, stopCause: cause });\n  if",
    model: CHAIN,
  },
  {
    breaks: ['every stop has a SIGKILL behind it'],
    what: 'the wait after a signal has no end',
    file: 'core/process-machine.ts',
    from: 'deadlineMs: atMs + (isFirst ? policy.firstWaitMs : policy.stopWaitMs) });',
    to: 'deadlineMs: isFirst ? null : atMs });',
    model: CHAIN,
  },
  {
    breaks: ['every stop has a SIGKILL behind it'],
    what: 'a stop waits for the cleanup of the last run',
    file: 'engine/runs.ts',
    from: 'this.#waits.get(id)?.();',
    to: '',
    model: HOOKS,
  },
  {
    breaks: ['no start is forgotten'],
    what: 'a change of state is not told to dependents',
    file: 'engine/engine.ts',
    from: 'this.#reconsider(this.#table.affectedBy(entry.id));\n    if (to',
    to: 'if (to',
    model: CHAIN,
  },
  {
    breaks: ['no start is forgotten'],
    what: 'a cancelled restart is not told to dependents',
    file: 'engine/engine.ts',
    from: 'isStartDue(before) && !isStartDue(record)',
    to: 'isStartDue(before) && isStartDue(record)',
    model: JOB,
  },
  {
    breaks: ['a stopped program stays stopped', 'TERM leads to the end'],
    what: 'a stop in BACKOFF leaves the next try',
    file: 'core/process-machine.ts',
    from: '[cancel, stop,       stop,       cancelRetry, stayDown, ',
    to: '[cancel, stop,       stop,       ignore, stayDown, ',
    model: CHAIN,
  },
  {
    breaks: ['a stopped program stays stopped'],
    what: 'a stop does not outweigh the restart under way',
    file: 'core/process-machine.ts',
    from: '[cancel, stop,       stop,       cancelRetry, stayDown, ',
    to: '[cancel, stop,       stop,       cancelRetry, ignore, ',
    model: 'followers that are restarted with their dependencies',
  },
  {
    breaks: ['only legal changes of state'],
    what: 'a retry that is given up skips BACKOFF',
    file: 'core/process-start.ts',
    from: "now.become('BACKOFF', { ...why",
    to: "now.become('FATAL', { ...why",
    model: CHAIN,
  },
  {
    breaks: ['the first cause is kept'],
    what: 'a later request replaces the cause',
    file: 'core/shutdown-machine.ts',
    from: "case 'caused':\n      return unchanged({ ...record, cause: input.cause });\n    case 'ended': {",
    to:
      "case 'caused':\n      return unchanged({ ...record, cause: input.cause });\n    case 'ended': {\n" +
      "      record = { ...record, cause: { kind: 'signal', signal: 1, sender: 0 } };",
    model: CHAIN,
  },
];

/** Makes a changed engine. Returns its class, and the function that removes the copy. */
export async function mutate({
  file,
  from,
  to,
  alsoFrom = '',
}: Mutation): Promise<{ EngineClass: typeof Engine; remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'onevisor-mutation-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  for (const part of ['core', 'engine']) cpSync(join(SOURCES, part), join(folder, part), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const text = readFileSync(join(folder, file), 'utf8');
  assert.equal(text.split(from).length, 2, `${file} has once: ${from}`);
  writeFileSync(join(folder, file), text.replace(from, () => to).replace(alsoFrom, ''));
  const { Engine: EngineClass } = (await import(pathToFileURL(join(folder, 'engine/engine.ts')).href)) as {
    Engine: typeof Engine;
  };
  return { EngineClass, remove };
}
