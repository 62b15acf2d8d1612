/** Programs that flood while the reader of our output stalls: answers come, memory is bounded, no line is lost. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Launched, pid1SkipReason } from '../e2e/launch.ts';
import { compile, until } from '../e2e/observe.ts';
import { bySize } from '../slow.ts';
import { sampleOf } from '../soak/supervisor.ts';
import {
  assertAnswered,
  assertEnded,
  endByTerm,
  formatSample,
  launchLoad,
  MEGABYTE,
  StatusClient,
  tell,
  untilAnswer,
} from './rig.ts';

const skip = (await pid1SkipReason()) ?? false;

const FLOODS = bySize({ brief: 20, long: 100 });
const STALL_MS = bySize({ brief: 5000, long: 600_000 });
/** Memory for all output that waits: pipes and queues have limits of their own. */
const MOST_BYTES = 64 * MEGABYTE;

/** The lines of each program, which are numbered from 1. */
class Relay {
  readonly wrong: string[] = [];
  readonly last = new Map<number, number>();
  lines = 0;

  take({ stdout }: Launched): void {
    for (const line of stdout.all.splice(0)) {
      const match = /^flood\d+ +\| (\d+) (\d+)$/.exec(line);
      if (match === null) {
        if (!/^\d{4}-\d\d-\d\d \S+ [A-Z]{4,5} /.test(line)) this.#note(`a torn line: ${line.slice(0, 100)}`);
        continue;
      }
      const [pid, number] = [Number(match[1]), Number(match[2])];
      const last = this.last.get(pid) ?? 0;
      if (number !== last + 1) this.#note(`line ${number} of ${pid} follows line ${last}`);
      this.last.set(pid, number);
      this.lines += 1;
    }
  }

  #note(text: string): void {
    if (this.wrong.length < 10) this.wrong.push(text);
  }
}

/** Reads the number of lines that each program has certainly written, by pid. */
async function readRecords(folder: string): Promise<Map<number, number>> {
  const names = (await readdir(join(folder, 'records'))).filter((name) => name !== '.keep');
  const records = names.map(async (name): Promise<[number, number]> => {
    const bytes = await readFile(join(folder, 'records', name));
    return [Number(name), bytes.length < 8 ? 0 : Number(bytes.readBigInt64LE())];
  });
  return new Map(await Promise.all(records));
}

test(`${FLOODS} floods and a reader that stalls for ${STALL_MS / 1000} s`, { skip }, async (t) => {
  const floods = await compile(t, 'floods');
  const launched = await launchLoad(
    t,
    '[program:flood]\ncommand=%FOLDER%/flood.sh\nprocess_name=flood%(process_num)d\nstartsecs=0\n' +
      `numprocs=${FLOODS}\n`,
    {
      files: { 'records/.keep': '', 'flood.sh': `#!/bin/sh\nexec ${floods} gate records\n` },
      prepare: 'mkfifo gate',
    },
  );
  await untilAnswer(launched);
  await until('all programs', async () => (await readRecords(launched.folder)).size === FLOODS, 60_000);
  const relay = new Relay();
  relay.take(launched);
  const before = await sampleOf(launched.pid);
  launched.stdout.pause();
  const status = new StatusClient(launched);
  await launched.enter(['sh', '-c', 'sleep 100000 >gate 2>&- &']);
  await sleep(STALL_MS);
  const during = await sampleOf(launched.pid);
  const stalled = await readRecords(launched.folder);
  launched.stdout.resume();
  await until('all programs to go on', async () => {
    relay.take(launched);
    const now = await readRecords(launched.folder);
    return [...now].every(([pid, number]) => number > (stalled.get(pid) ?? 0));
  });
  const times = await status.stop();
  const reading = setInterval(() => relay.take(launched), 20);
  const endMs = await endByTerm(launched);
  clearInterval(reading);
  relay.take(launched);
  let lost = 0;
  for (const [pid, written] of await readRecords(launched.folder))
    lost += Math.max(0, written - (relay.last.get(pid) ?? 0));
  tell(t, {
    lines: relay.lines,
    'lines lost': lost,
    status: times,
    'TERM to end': `${endMs} ms`,
    before: formatSample(before),
    'during the stall': formatSample(during),
  });
  assert.deepEqual(relay.wrong, []);
  assert.equal(lost, 0);
  assert.equal(relay.last.size, FLOODS);
  assertAnswered(times);
  assertEnded(endMs);
  assert.ok(during.bytes < before.bytes + MOST_BYTES, formatSample(during));
});
