/**
 * Not a test itself: a small supervisor that starts the programs named in its arguments, waits until each is ready,
 * sweeps, and prints the result. Run as PID 1 of a namespace of its own, or as an ordinary process.
 */
import { createInterface } from 'node:readline';
import { systemClock } from '../../src/process/clock.ts';
import { descendantsOf, readProcesses } from '../../src/process/process-tree.ts';
import { sweep } from '../../src/process/sweep.ts';
import { addon, reader, reaper, shell } from './programs.ts';

const SCRIPTS: Readonly<Record<string, string>> = {
  obedient: 'echo ready; exec sleep 1000',
  stubborn: 'trap "" TERM; echo ready; while :; do sleep 1000; done',
  stopped: 'echo ready; kill -STOP $$',
  // The shell exits at once. Its child is in another session and becomes ours.
  orphan: 'setsid sh -c "echo ready; exec sleep 1000" & exit',
  // Its children ignore TERM's first victim and end with it only because they get their own.
  family: 'sleep 1000 & sleep 1000 & (sleep 1000 & echo ready; wait) & wait',
};

if (process.pid !== 1) addon.setSubreaper();
const [termMs, ...names] = process.argv.slice(2);
for (const name of names) {
  const { stdout } = addon.spawn(shell(SCRIPTS[name] ?? 'exit', { stdin: 'null', stderr: 'null' }));
  for await (const line of createInterface({ input: reader(stdout ?? -1) })) if (line === 'ready') break;
}
const before = systemClock.nowMs();
const survivors = await sweep(
  { addon, reaper, clock: systemClock, pid: process.pid },
  { grace: () => ({ termMs: Number(termMs), killMs: 60_000 }), onChange: () => () => undefined },
);
const left = descendantsOf(process.pid, readProcesses() ?? []).length;
process.stdout.write(JSON.stringify({ pid: process.pid, survivors, left, tookMs: systemClock.nowMs() - before }));
addon.exitNow(0);
