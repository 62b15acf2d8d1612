/**
 * Counts behind the largest costs (`--profile`): for some cases the functions with the most time of their own, by a CPU
 * profile of our program in a plain Node, and the system calls of the executable, by strace. README.md in this folder
 * has the recipes for more.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { EXEC_ARGV } from '../../build/executable.ts';
import { CACHE } from '../../build/platform.ts';
import { CONTROL, FOREGROUND, programSections } from './configurations.ts';
import type { Bench } from './context.ts';
import { findInPath } from './contenders.ts';
import { rpcRequest } from './client.ts';
import type { Contender } from './contenders.ts';
import type { Running } from './rig.ts';

const run = promisify(execFile);

const STRACE = 'strace';

/** Rows of each list. */
const MOST = 14;

/** A run to be profiled. `work` begins when all programs are up. */
interface Scenario {
  readonly name: string;
  readonly text: string;
  readonly programs: number;
  work(running: Running): Promise<void>;
}

/** Profiles all scenarios. Returns the text to print. */
export async function profile(bench: Bench): Promise<string> {
  const folder = join(CACHE, 'bench', 'profiles');
  await mkdir(folder, { recursive: true });
  const parts: string[] = [];
  for (const scenario of scenariosOf(bench)) {
    const path = join(folder, `${scenario.name}.cpuprofile`);
    const program = join(CACHE, process.arch, 'onevisor-pieces', 'onevisor.cjs');
    const script = join(import.meta.dirname, 'profile-run.cjs');
    const flags = EXEC_ARGV.filter((flag) => flag !== '--no-strip-types');
    const command = [process.execPath, ...flags, script, program, path, '-c'];
    await perform(bench, { name: scenario.name, command }, scenario);
    parts.push(
      `${scenario.name}: time of functions themselves (${path})\n${formatProfile(await readFile(path, 'utf8'))}`,
    );
    const calls = await countCalls(bench, scenario);
    parts.push(`${scenario.name}: system calls of the executable\n${calls}`);
  }
  return parts.join('\n\n');
}

function scenariosOf({ rig, pick }: Bench): Scenario[] {
  const many = pick(500, 50);
  const lines = pick(4_000_000, 400_000);
  return [
    { name: 'start', text: programSections(3), programs: 3, work: () => sleep(0) },
    { name: 'fleet', text: programSections(many), programs: many, work: () => sleep(0) },
    {
      name: 'json',
      text:
        `[program:flood]\ncommand=%STAMP% ${rig.path('flood')} ${lines} 95 flood\n` +
        'stdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\nlog_format=json\n',
      programs: 1,
      work: () => sleep(3000),
    },
    {
      name: 'rpc',
      text: programSections(many),
      programs: many,
      work: async ({ folder }) => {
        const request = join(folder, 'request');
        await writeFile(request, rpcRequest());
        await run(rig.path('ask'), [join(folder, 'socket'), String(pick(200, 20)), request]);
      },
    },
  ];
}

async function perform({ rig }: Bench, contender: Contender, { text, programs, work }: Scenario): Promise<void> {
  const running = await rig.start(contender, FOREGROUND + CONTROL + text);
  await running.last(programs);
  await work(running);
  // strace blocks the signal; its child is the supervisor.
  const { pid } = running.executed;
  const [child = ''] = (await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1')).split(' ');
  if (contender.name === STRACE) process.kill(Number(child), 'SIGTERM');
  await running.terminate();
  await running.stop();
}

/** Runs the executable under strace, and returns its summary. */
async function countCalls(bench: Bench, scenario: Scenario): Promise<string> {
  const strace = await findInPath(STRACE);
  if (strace === null) return 'strace is not installed';
  const summary = join(bench.rig.folder, `calls-${scenario.name}`);
  // Only our own threads: programs leave the trace at their exec.
  const command = [strace, '-c', '-f', '-b', 'execve', '-o', summary, bench.contenders.executable, '-c'];
  await perform(bench, { name: STRACE, command }, scenario);
  const [head = '', line = '', ...rows] = (await readFile(summary, 'latin1')).split('\n');
  return [head, line, ...rows.slice(0, MOST)].join('\n');
}

interface CpuProfile {
  readonly nodes: ReadonlyArray<{
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }>;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Adds the time of each function itself. Idle time does not count. */
function formatProfile(text: string): string {
  const { nodes, samples, timeDeltas } = JSON.parse(text) as CpuProfile;
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url } }) => [
      id,
      `${functionName === '' ? '(anonymous)' : functionName}${url.startsWith('node:') ? ` ${url}` : ''}`,
    ]),
  );
  const times = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? '';
    if (name === '(idle)') continue;
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[index] ?? 0));
  }
  const total = [...times.values()].reduce((sum, time) => sum + time, 0);
  const rows = [...times].sort(([, a], [, b]) => b - a).slice(0, MOST);
  const lines = rows.map(
    ([name, time]) =>
      `${((100 * time) / total).toFixed(1).padStart(5)} %  ${(time / 1000).toFixed(1).padStart(8)} ms  ${name}`,
  );
  return [`        ${(total / 1000).toFixed(1).padStart(8)} ms  in all`, ...lines].join('\n');
}
