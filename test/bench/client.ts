/**
 * Time of a client's command, from its fork to its end, and the answers of the server at its socket. In the first case
 * both clients ask the same supervisor, ours.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CONTROL, FOREGROUND, programSections } from './configurations.ts';
import type { Bench } from './context.ts';
import { peerPart } from './contenders.ts';
import { emptyExecutable } from './empty-executable.ts';
import { ratioAtLeast, ratioAtMost, sampleOf } from './figures.ts';
import type { Row } from './figures.ts';
import { nowMs } from './rig.ts';
import type { Rig } from './rig.ts';
import { startMany } from './memory.ts';
import { alternate } from './rounds.ts';

const run = promisify(execFile);

/** Time limit for three programs to be up. */
const LONGEST_START_MS = 60_000;

/** Measures `status` through a pipe and on a terminal, next to Supervisor's client in the same place. */
export async function statusRows(bench: Bench): Promise<Row[]> {
  const { rig, contenders, pick, rounds } = bench;
  const { executable, supervisor, peers, isOtherBuild } = contenders;
  const count = pick(500, 50);
  const { running } = await startMany(bench, contenders.ours, count);
  const { configuration } = running;
  const status = ['-c', configuration, 'status'];
  const peer = isOtherBuild ? supervisor : peers.supervisorctl;
  const peerWords = isOtherBuild ? [supervisor?.command[0] ?? '', 'ctl'] : [peers.supervisorctl?.path ?? ''];
  const attempts = ['pipe', 'terminal'].flatMap((output) => [
    { name: output, measure: () => timed(rig, output, [executable, 'ctl', ...status]) },
    ...(peer === null
      ? []
      : [{ name: `peer, ${output}`, measure: () => timed(rig, output, [...peerWords, ...status]) }]),
  ]);
  const figures = await alternate(attempts, rounds(15, 2), true);
  await running.stop();
  return ['pipe', 'terminal'].map((output) => ({
    what: `status of ${count}${output === 'pipe' ? '' : ', on a terminal'}`,
    unit: 'ms',
    ours: sampleOf(figures.get(output)),
    ...peerPart(peer, 'supervisorctl', sampleOf(figures.get(`peer, ${output}`))),
    goal: output === 'pipe' ? ratioAtMost(0.35) : null,
  }));
}

/** Measures one health probe, next to an executable that does nothing. */
export async function healthRows({ rig, contenders, rounds }: Bench): Promise<Row[]> {
  const { executable, ours } = contenders;
  const empty = await emptyExecutable();
  const running = await rig.start(ours, FOREGROUND + CONTROL + programSections(3, 'startsecs=0\n'));
  await running.last(3);
  const probe = [executable, 'health', '-c', running.configuration];
  // The programs count as up a moment after their exec.
  const untilMs = nowMs() + LONGEST_START_MS;
  while ((await exitCodeOf(probe)) !== 0) if (nowMs() > untilMs) throw new Error('the programs are not healthy');
  const figures = await alternate(
    [
      { name: 'health', measure: () => timed(rig, 'pipe', probe) },
      { name: 'empty', measure: () => timed(rig, 'pipe', [empty]) },
    ],
    rounds(31, 2),
    true,
  );
  await running.stop();
  return [
    {
      what: 'one health probe, as a command',
      unit: 'ms',
      ours: sampleOf(figures.get('health')),
      peer: sampleOf(figures.get('empty')),
      peerName: 'empty executable',
      goal: ratioAtMost(1.3),
    },
  ];
}

/** Returns a request for getAllProcessInfo over a connection of its own. */
export function rpcRequest(): string {
  const body =
    '<?xml version="1.0"?>\n<methodCall><methodName>supervisor.getAllProcessInfo</methodName><params/></methodCall>\n';
  return (
    'POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: text/xml\r\n' +
    `Content-Length: ${body.length}\r\n\r\n${body}`
  );
}

/** Measures the answers to getAllProcessInfo for each second, read and dropped by a client that parses nothing. */
export async function rpcRows(bench: Bench): Promise<Row[]> {
  const { rig, contenders, pick, rounds } = bench;
  const { ours, supervisor } = contenders;
  const count = pick(500, 50);
  const asked = supervisor === null ? [ours] : [ours, supervisor];
  const running = await Promise.all(asked.map(async (contender) => (await startMany(bench, contender, count)).running));
  const request = join(rig.folder, 'request');
  await writeFile(request, rpcRequest());
  const attempts = asked.map((contender, index) => ({
    name: contender.name,
    measure: async () => {
      const times = index === 0 ? pick(100, 5) : pick(10, 2);
      const socket = join(running[index]?.folder ?? '', 'socket');
      const { stdout } = await run(rig.path('ask'), [socket, String(times), request]);
      const [milliseconds = 0, , seen] = stdout.split(' ').map(Number);
      if (seen !== count) throw new Error(`${contender.name} answered with ${seen ?? 0} processes instead of ${count}`);
      return (times * 1000) / milliseconds;
    },
  }));
  const figures = await alternate(attempts, rounds(9, 1), true);
  for (const one of running) await one.stop();
  return [
    {
      what: `getAllProcessInfo of ${count}, at the socket`,
      unit: 'a second',
      ours: sampleOf(figures.get(ours.name)),
      ...peerPart(supervisor, 'supervisord', sampleOf(figures.get(supervisor?.name ?? ''))),
      goal: ratioAtLeast(15),
    },
  ];
}

/** Runs a command, and returns its milliseconds. */
async function timed(rig: Rig, output: string, command: readonly string[]): Promise<number> {
  const env = { PATH: process.env['PATH'] ?? '', TERM: 'xterm', LANG: 'C.UTF-8' };
  const { stdout } = await run(rig.path('timed'), [output, ...command], { env });
  const [milliseconds, status] = stdout.split(' ').map(Number);
  if (status !== 0) throw new Error(`${command.join(' ')} ended with the wait status ${status ?? 'none'}`);
  return milliseconds ?? 0;
}

async function exitCodeOf([file = '', ...args]: readonly string[]): Promise<number> {
  return run(file, args).then(
    () => 0,
    (error: { code?: unknown }) => Number(error.code),
  );
}
