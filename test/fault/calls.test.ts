/**
 * System calls fail, one after the other, on the paths of spawn, reap, log, rotation, reload, watch and accept. After
 * each fault PID 1 runs, has no zombie, and does again what it was asked to do. The table of calls, errors and outcomes
 * is written to dist/fault-table.md.
 */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { bySize, isSlow } from '../slow.ts';
import { EXERCISES, type Path, ROWS, type Row } from './cases.ts';
import { injectorSkipReason } from './injector.ts';
import { type Finding, formatTable, outcomeOf, summarize } from './table.ts';
import { allSettled, lastingZombies, startWorld, type World } from './world.ts';

/** Time for an exercise while its calls fail, and without faults. */
const FAULTY_MS = 1000;
const HEALTHY_MS = 20_000;
/** Calls of one kind that are made to fail one after the other, each alone. */
const NUMBERS = 5;
/** An exercise does not make each call each time: a log that is not full is not cut. */
const MOST_TRIES = 5;
/** Lines about one fault that lasts for {@link FAULTY_MS}. Programs are started again with growing pauses. */
const MAX_LINES = 8;

/** Lines that are about other things than faults. */
const ORDINARY = new RegExp(
  ' INFO (spawned|success|stopped|Creating socket|Closing socket|supervisor\\.|waiting|restarting|starting|' +
    'restart_on)| WARN (exited|killing)|is written again',
);

/** Calls whose message is that of Supervisor, without the error. */
const UNNAMED: ReadonlySet<string> = new Set(['setgroups', 'setresgid']);

/** Texts that name an error. */
const NAMES: Readonly<Record<string, RegExp>> = {
  EMFILE: /EMFILE|too many open files/i,
  EAGAIN: /EAGAIN|Too many processes|temporarily/,
};

/** Paths that share a supervisor. */
const SHARED: Readonly<Record<Exclude<Path, 'spawn'>, string>> = {
  reap: 'reap and files',
  log: 'reap and files',
  rotate: 'reap and files',
  clear: 'reap and files',
  reload: 'reload, watch, accept',
  watch: 'reload, watch, accept',
  accept: 'reload, watch, accept',
};

const reason = await injectorSkipReason();
const findings: Finding[] = [];

describe('system calls that fail', { concurrency: true, skip: reason ?? false }, () => {
  // Faults of one supervisor come one after the other. Spawns have most of them, and wait longest.
  const groups = Map.groupBy(
    ROWS.filter(({ isLong }) => isSlow || !isLong),
    ({ path, who }) => (path === 'spawn' ? `spawn, ${who}` : SHARED[path]),
  );
  for (const [name, rows] of groups)
    test(name, async (context) => {
      const world = await startWorld(context);
      await allSettled(world);
      const missing: string[] = [];
      for (const row of rows)
        for (const error of bySize({ brief: row.errors.slice(0, 1), long: row.errors }))
          if (!(await walk(world, row, error))) missing.push(`${row.path}: ${row.call} of ${row.who}, ${error}`);
      world.app.signal('SIGTERM');
      assert.deepEqual(await world.app.exit, { code: 0, signal: null }, 'TERM ends everything');
      assert.deepEqual(missing, [], 'the path has no such call');
    });

  after(async () => {
    const folder = join(import.meta.dirname, '..', '..', 'dist');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'fault-table.md'), formatTable(findings));
  });
});

test('the table of faults', { skip: reason ?? false }, (context) => {
  for (const line of summarize(findings)) context.diagnostic(line);
  assert.ok(findings.length > 0);
});

/**
 * Lets all calls fail for a time; in the long form also each of the first calls alone. Returns false if the path has no
 * such call.
 */
async function walk(world: World, row: Row, error: string): Promise<boolean> {
  if (!(await inject(world, row, { error, skip: 0, count: Infinity }))) return false;
  // The kernel answers the errors of epoll_ctl to EPOLL_CTL_ADD only. A single call may be a removal.
  if (isSlow && row.call !== 'epoll_ctl')
    for (let skip = 0; skip < NUMBERS; skip += 1) if (!(await inject(world, row, { error, skip, count: 1 }))) break;
  return true;
}

interface Fault {
  readonly error: string;
  readonly skip: number;
  readonly count: number;
}

/** Injects a fault and looks at what follows. Returns false if the path has no such call. */
async function inject(world: World, row: Row, fault: Fault): Promise<boolean> {
  const { app, injector, log } = world;
  const { path, call, who, target } = row;
  const { error, skip, count } = fault;
  const which = target === null ? call : `${call} of ${target}`;
  const what = `${path}: ${which} of ${who}, ${error}, call ${skip + 1}, ${count}`;
  const errno = (constants.errno as Readonly<Record<string, number>>)[error] ?? 0;
  const before = log().length;
  const hits = countHits(world) + 1;
  await injector.fail({ call, errno, skip, count, who, target });
  let failure: string | null = null;
  const mostTries = skip === 0 ? MOST_TRIES : 1;
  for (let tries = 0; tries < mostTries && (tries === 0 || countHits(world) < hits); tries += 1) {
    failure = await failureOf(EXERCISES[path](world, FAULTY_MS), app.exit);
    assert.notEqual(failure, ENDED, `${what}: PID 1 has ended: ${log().slice(before).join('\n')}`);
  }
  // On a busy machine the exercise may have given up before its first call.
  if (skip === 0) await injector.lines.waitFor(/^hit/, { count: hits, timeoutMs: HEALTHY_MS }).catch(() => undefined);
  const { failed } = await injector.clear();
  if (failed === 0) return false;
  const settled = await failureOf(allSettled(world, HEALTHY_MS), app.exit);
  assert.equal(settled, null, `${what}: ${JSON.stringify(await world.processes().catch(String))}`);
  const again = await failureOf(EXERCISES[path](world, HEALTHY_MS), app.exit);
  const lines = log()
    .slice(before)
    .filter((line) => !ORDINARY.test(line));
  assert.equal(again, null, `${what}: it does not work again; the log has:\n${lines.join('\n')}`);
  assert.equal(await lastingZombies(world), 0, `${what}: a zombie stays`);
  assert.ok(lines.length <= MAX_LINES, `${what}: ${lines.length} lines:\n${lines.join('\n')}`);
  const isNamed = (text: string): boolean => (NAMES[error] ?? new RegExp(error)).test(text);
  const finding = { ...row, ...fault, failure, line: lines.find(isNamed) ?? lines[0] ?? null, lines: lines.length };
  const told = [...lines, failure ?? ''].join('\n');
  const isTold = isNamed(told) || UNNAMED.has(call) || ['passes', 'late', 'cut off'].includes(outcomeOf(finding));
  assert.ok(isTold, `${what}: no message names the error:\n${told}`);
  findings.push(finding);
  return true;
}

function countHits({ injector }: World): number {
  return injector.lines.all.filter((line) => line.startsWith('hit')).length;
}

const ENDED = 'PID 1 has ended';

/** Returns the message of a rejection; null for none. */
async function failureOf(doing: Promise<unknown>, exit: Promise<unknown>): Promise<string | null> {
  return Promise.race([
    doing.then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    ),
    exit.then(() => ENDED),
  ]);
}
