/**
 * The same calls of Python's XML-RPC client to Supervisor and to ours: the answers are equal, except for listed
 * differences.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EXECUTABLE } from '../e2e/launch.ts';
import { type Scenario, scenarios } from './rpc-scenarios.ts';

const clientScript = fileURLToPath(new URL('rpc-client.py', import.meta.url));
const findProgram = (name: string): string | null => {
  const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
  return found.status === 0 ? found.stdout.trim() : null;
};
const supervisord = findProgram('supervisord');
const python = findProgram('python3');
const missing = findMissing();

function findMissing(): string | null {
  if (supervisord === null) return 'no supervisord on this machine';
  return python === null ? 'no python3 on this machine' : null;
}

function hasStarted(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket
      .once('connect', () => resolve(true))
      .once('error', () => resolve(false))
      .once('close', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function configuration(directory: string, programs: string): string {
  return (
    `[supervisord]\nnodaemon=true\nlogfile=${directory}/main.log\npidfile=${directory}/pid\n` +
    `childlogdir=${directory}\nidentifier=watched\n[unix_http_server]\nfile=${directory}/s.sock\n` +
    `[rpcinterface:supervisor]\n` +
    `supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n${programs}`
  );
}

function ended(child: ChildProcess): Promise<void> {
  return child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once('exit', () => resolve()));
}

/** Runs the steps of a scenario with a supervisor that is started for it. Returns the results. */
async function transcript(program: string, { config, steps }: Scenario): Promise<unknown[]> {
  const directory = mkdtempSync(join(tmpdir(), 'onevisor-rpc-'));
  writeFileSync(join(directory, 's.conf'), configuration(directory, config));
  const output = openSync(join(directory, 'output'), 'w');
  const supervisor = spawn(program, ['-c', join(directory, 's.conf')], {
    stdio: ['ignore', output, output],
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: directory },
  });
  closeSync(output);
  try {
    while (!(await hasStarted(join(directory, 's.sock')))) {
      assert.equal(supervisor.exitCode, null, `${program} has ended`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const client = spawn(python ?? '', [clientScript, `unix://${directory}/s.sock`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    client.stdin?.end(JSON.stringify(steps.map(({ call }) => call)));
    const outcomes = (await client.stdout?.setEncoding('utf8').reduce((text, part) => text + part, '')) ?? '';
    return outcomes
      .trim()
      .split('\n')
      .map((line) => normalise(JSON.parse(line), directory));
  } catch (error) {
    throw new Error(`${program} said: ${readFileSync(join(directory, 'output'), 'utf8')}`, { cause: error });
  } finally {
    supervisor.kill('SIGTERM');
    await ended(supervisor);
    rmSync(directory, { recursive: true });
  }
}

/** Replaces values that differ between runs: times, pids, folders and generated file names. */
function normalise(value: unknown, directory: string): unknown {
  if (typeof value === 'string') {
    return value
      .replaceAll(directory, 'DIR')
      .replace(/-(stdout|stderr)---watched-[^.]+\.log/, '-$1-AUTO')
      .replace(/^pid \d+, uptime .*/, 'pid PID, uptime TIME')
      .replace(/^[A-Z][a-z]{2} \d\d \d\d:\d\d [AP]M$/, 'DATE');
  }
  if (Array.isArray(value)) return value.map((member) => normalise(member, directory));
  if (typeof value !== 'object' || value === null) return value;
  const times = new Set(['start', 'stop', 'now', 'pid']);
  // Members that Supervisor does not have.
  const added = new Set(['exit_code', 'exit_signal', 'failure', 'oom_kills']);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !added.has(name))
      .map(([name, member]) => [
        name,
        times.has(name) && typeof member === 'number' ? member > 0 : normalise(member, directory),
      ]),
  );
}

/** Sorts a list whose order does not matter. */
function sorted(outcome: unknown): unknown {
  const { value } = outcome as { readonly value?: unknown };
  return Array.isArray(value) ? { value: value.map((member) => JSON.stringify(member)).toSorted() } : outcome;
}

/** True if a value has all members of another one. */
function contains(value: unknown, expected: unknown): boolean {
  try {
    if (typeof expected === 'object' && expected !== null && 'statename' in expected) {
      assert.partialDeepStrictEqual((value as { value?: unknown }).value, expected);
    } else {
      assert.deepEqual(value, expected);
    }
    return true;
  } catch (error) {
    if (error instanceof assert.AssertionError) return false;
    throw error;
  }
}

describe('XML-RPC, compared with the real one', { skip: missing ?? false, concurrency: false }, () => {
  for (const scenario of scenarios) {
    test(scenario.title, async () => {
      const [real, ours] = await Promise.all([
        transcript(supervisord ?? '', scenario),
        transcript(EXECUTABLE, scenario),
      ]);
      const differences: string[] = [];
      for (const [index, { call, differs, isUnordered }] of scenario.steps.entries()) {
        const [theirs, mine] = [real[index], ours[index]].map((outcome) =>
          JSON.stringify(isUnordered === true ? sorted(outcome) : outcome),
        );
        const title = `${index}. ${JSON.stringify(call)}`;
        if (differs === undefined && theirs !== mine)
          differences.push(`${title}\n    real: ${theirs}\n    ours: ${mine}`);
        if (differs !== undefined && theirs === mine)
          differences.push(`${title}: meant to differ (${differs.reason}), and does not: ${mine}`);
        if (differs !== undefined && !contains(ours[index], differs.ours))
          differences.push(
            `${title}: ${differs.reason}\n    meant: ${JSON.stringify(differs.ours)}\n    ours: ${mine}`,
          );
      }
      assert.equal(ours.length, scenario.steps.length);
      assert.deepEqual(differences, [], differences.join('\n'));
    });
  }
});
