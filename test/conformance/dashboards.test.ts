/**
 * Dashboards for Supervisor with our server and with the real one, over TCP with a password: the clients make the same
 * calls, and get answers with the same members, types and words.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { EXECUTABLE } from '../e2e/launch.ts';
import { until } from '../e2e/observe.ts';
import { freePort } from '../e2e/ports.ts';

const run = promisify(execFile);
const CLIENTS = fileURLToPath(new URL('dashboard-clients.py', import.meta.url));
const missing = ['supervisord', 'python3'].find((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);

/** Members of our structs that Supervisor does not have. */
const ADDED: ReadonlySet<string> = new Set(['exit_code', 'exit_signal', 'failure', 'oom_kills']);

const PROGRAMS =
  '[program:web]\ncommand=/bin/sh -c "echo out; echo err >&2; exec sleep 1000"\nstartsecs=1\n' +
  '[program:bad]\ncommand=/nonexistent/program\nautostart=false\nstartretries=0\n' +
  '[program:pool]\ncommand=/bin/sh -c "echo worker; exec sleep 1000"\nnumprocs=2\n' +
  'process_name=worker_%(process_num)d\nstartsecs=1\n';

function configuration(directory: string, port: number): string {
  return (
    `[supervisord]\nnodaemon=true\nlogfile=${directory}/main.log\npidfile=${directory}/pid\n` +
    `childlogdir=${directory}\n` +
    `[inet_http_server]\nport=127.0.0.1:${port}\nusername=user\npassword=se cret\n` +
    '[rpcinterface:supervisor]\n' +
    `supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n${PROGRAMS}`
  );
}

/** Returns the answers of a supervisor to a dashboard, one for each call. */
async function answersOf(program: string, dashboard: string): Promise<unknown[]> {
  const directory = mkdtempSync(join(tmpdir(), 'onevisor-dashboards-'));
  const port = await freePort();
  writeFileSync(join(directory, 's.conf'), configuration(directory, port));
  const output = openSync(join(directory, 'output'), 'w');
  const supervisor: ChildProcess = spawn(program, ['-n', '-c', join(directory, 's.conf')], {
    stdio: ['ignore', output, output],
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: directory },
  });
  closeSync(output);
  const ended = new Promise((resolve) => supervisor.once('exit', resolve));
  const text = (): string => readFileSync(join(directory, 'output'), 'utf8');
  try {
    await until(`${program} has started its programs`, () => {
      assert.equal(supervisor.exitCode, null, text());
      return [...text().matchAll(/success: \S+ entered RUNNING/g)].length === 3;
    });
    const { stdout } = await run('python3', [CLIENTS, dashboard, `127.0.0.1:${port}`, 'user', 'se%20cret'], {
      timeout: 120_000,
    });
    return stdout
      .trim()
      .split('\n')
      .map((line) => withoutAdded(JSON.parse(line)));
  } catch (error) {
    throw new Error(`${program} said: ${text()}`, { cause: error });
  } finally {
    // The last call of a dashboard restarts the supervisor, and Supervisor loses a signal that comes meanwhile.
    const asking = setInterval(() => supervisor.kill('SIGTERM'), 1000);
    supervisor.kill('SIGTERM');
    await ended;
    clearInterval(asking);
    rmSync(directory, { recursive: true });
  }
}

/** Removes our further members. */
function withoutAdded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutAdded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !ADDED.has(name))
      .map(([name, member]) => [name, withoutAdded(member)]),
  );
}

describe('dashboards for Supervisor', { skip: missing === undefined ? false : `no ${missing} on this machine` }, () => {
  for (const dashboard of ['cesi', 'multivisor', 'supervisord-monitor'])
    test(dashboard, { timeout: 300_000 }, async () => {
      const [real, ours] = await Promise.all([answersOf('supervisord', dashboard), answersOf(EXECUTABLE, dashboard)]);
      assert.ok(real.length > 10, `${real.length} calls`);
      assert.deepEqual(ours, real);
    });
});
