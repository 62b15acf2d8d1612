/**
 * Shared parts of the tests of five write-ups about Supervisor, with which this project began. write-ups/ has their
 * commands and configurations, without the prose. A test runs a command only if the write-up has it, in a scratch
 * folder to which every absolute path is moved. Each test runs with our executable and, if it is installed, with
 * Supervisor.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf, isAlive, until } from '../e2e/observe.ts';
import { EXECUTABLE } from '../e2e/launch.ts';
import { Lines } from '../e2e/lines.ts';
import { freePort } from '../e2e/ports.ts';

const WRITE_UPS = join(import.meta.dirname, 'write-ups');
const REAL = '/usr/bin/supervisord';
const MARK = 'STARTED_BY_WRITE_UP';
const ASK_AGAIN_MS = 200;
export const isRoot = process.getuid?.() === 0;

/** One of the two supervisors that every claim is tested with. */
export interface Subject {
  readonly isOurs: boolean;
  /** Folder of supervisord and its other programs. */
  readonly bin: string;
}

/** Result of a command. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Returns the reason why Supervisor is not tested; false if it is. */
function realSkipReason(): string | false {
  const { status, stdout } = spawnSync(REAL, ['--version'], { encoding: 'utf8' });
  if (status !== 0) return 'the real supervisord is not installed';
  if (!stdout.startsWith('4.')) return `the real supervisord is ${stdout.trim()}`;
  return isRoot ? false : 'the real supervisord runs the configurations of the texts for root only';
}

/**
 * Registers the tests of one write-up, for our executable and for Supervisor. `leftOut`: commands that are not run,
 * each with its reason.
 */
export function describeWriteUp(
  name: string,
  leftOut: Readonly<Record<string, string>>,
  tests: Readonly<Record<string, (world: World) => Promise<void>>>,
): void {
  const text = readFileSync(join(WRITE_UPS, `${name}.txt`), 'utf8');
  test(`write-up ${name} has the commands that are left out`, () => {
    for (const [command, reason] of Object.entries(leftOut))
      assert.ok(text.includes(command) && reason !== '', command);
  });
  const register = (subjectName: string, subject: Subject): void => {
    for (const [title, run] of Object.entries(tests))
      test(`${subjectName}: ${title}`, async (t) => run(await openWorld(t, subject, text)));
  };
  const skip = realSkipReason();
  describe(`write-up ${name}`, { concurrency: 4 }, () => {
    register('onevisor', { isOurs: true, bin: dirname(EXECUTABLE) });
    if (skip === false) register('the real Supervisor', { isOurs: false, bin: dirname(REAL) });
    else test('the real Supervisor', { skip }, () => undefined);
  });
}

/** Parts of a {@link World}; `mark` is in the environment of every process that it starts. */
interface WorldParts {
  readonly test: TestContext;
  readonly subject: Subject;
  readonly text: string;
  readonly root: string;
  readonly port: number;
  readonly mark: string;
}

/** A scratch folder with the machine that a text describes. */
export class World {
  readonly test: TestContext;
  readonly subject: Subject;
  /** Folder that stands for `/`. */
  readonly root: string;
  readonly text: string;
  /** Port that stands for the port 9001 of the texts. */
  readonly port: number;
  /** Working directory of the commands, with the path of the text. */
  cwd = '/';
  readonly #env: Record<string, string>;

  constructor({ test, subject, text, root, port, mark }: WorldParts) {
    this.test = test;
    this.subject = subject;
    this.text = text;
    this.root = root;
    this.port = port;
    this.#env = {
      PATH: `${root}/usr/bin:${process.env['PATH'] ?? ''}`,
      HOME: root,
      TMPDIR: root,
      LC_ALL: 'C.UTF-8',
      // The machine that runs the tests may be a container, in which other worlds have their daemons.
      ONEVISOR_CONTAINER: '0',
      [MARK]: mark,
    };
  }

  /** Returns the path that stands for a path of the text. */
  at(path: string): string {
    return join(this.root, path);
  }

  /** Adapts paths and port of a part of the text. Programs that exist everywhere (`/bin`) stay. */
  move(text: string): string {
    return (
      text
        .replace(
          /(?<=^|[=\s]|unix:\/\/)\/(?=(?:utxt|var|run|etc|root|home|tmp|mnt|path)(?:[/\s]|$))/gm,
          (slash, at: number) => (text.startsWith(this.root, at) ? slash : `${this.root}${slash}`),
        )
        .replaceAll('9001', String(this.port))
        // Without root, changing to another user is impossible.
        .replace(/^(user *= *)root\b/gm, isRoot ? '$1root' : `$1${process.getuid?.()}`)
    );
  }

  /** Writes a file at a path of the text. A program (`#!`) is made executable. */
  async place(path: string, text: string): Promise<void> {
    await this.makeFolder(dirname(path));
    await writeFile(this.at(path), this.move(text));
    await chmod(this.at(path), text.startsWith('#!') ? 0o755 : 0o644);
  }

  /** Creates a folder that the text expects. Every user may write there. */
  async makeFolder(path: string): Promise<void> {
    await mkdir(this.at(path), { recursive: true });
    for (let folder = path; folder !== '/' && folder !== '.'; folder = dirname(folder))
      await chmod(this.at(folder), 0o777);
  }

  /** Returns the fenced block of the text that has all of these, without its indentation. */
  block(...needles: readonly string[]): string {
    const blocks = [...this.text.matchAll(/^( *)```.*\n([^]*?)^ *```/gm)].map(([, indent = '', body = '']) =>
      body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    );
    const found = blocks.filter((body) => needles.every((needle) => body.includes(needle)));
    assert.equal(found.length, 1, `blocks with ${needles.join(', ')}`);
    return found[0] ?? '';
  }

  /** Runs a command that is in the text; `values` replaces placeholders. */
  run(command: string, values: Readonly<Record<string, string>> = {}, input = ''): Promise<Outcome> {
    assert.ok(this.text.includes(command), `the text has no ${command}`);
    return this.shell(
      Object.entries(values).reduce((line, [name, value]) => line.replaceAll(name, value), command),
      input,
    );
  }

  /** Runs a command of the test's own. */
  async shell(command: string, input = ''): Promise<Outcome> {
    const child = spawn('sh', ['-c', this.move(command)], { cwd: this.at(this.cwd), env: this.#env });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (part: string) => (stdout += part));
    child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const code = await new Promise<number | null>((resolve, reject) => child.on('close', resolve).on('error', reject));
    return { code, stdout, stderr };
  }

  /** Returns the output of a supervisorctl command that is not in the text. */
  async ctl(command: string): Promise<string> {
    const { stdout, stderr } = await this.shell(`supervisorctl ${command}`);
    return stdout + stderr;
  }

  /** Runs a continuous command of the text until a line of its output matches. */
  async follow(command: string, values: Readonly<Record<string, string>>, pattern: RegExp): Promise<void> {
    assert.ok(this.text.includes(command), `the text has no ${command}`);
    const line = Object.entries(values).reduce((filled, [name, value]) => filled.replaceAll(name, value), command);
    const child = spawn('sh', ['-c', `exec ${line}`], {
      cwd: this.at(this.cwd),
      env: this.#env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
    await new Lines(child.stdout).waitFor(pattern).finally(() => child.kill('SIGINT'));
    await ended;
  }

  read(path: string): Promise<string> {
    return readFile(this.at(path), 'utf8');
  }

  /** Waits until the text of a file matches. */
  untilFile(path: string, pattern: RegExp): Promise<string> {
    return until(`${String(pattern)} in ${path}`, async () => {
      const text = await this.read(path).catch(() => '');
      return pattern.test(text) && text;
    });
  }

  /** Waits until `status` of a process matches. Returns its output. */
  async untilStatus(name: string, pattern: RegExp): Promise<string> {
    let last = '';
    return until(`${String(pattern)} as status of ${name}`, async () => {
      last = await this.ctl(`status ${name}`);
      return pattern.test(last) ? last : notYet();
    }).catch((error: Error) => {
      throw new Error(`${error.message}; it is: ${last}`);
    });
  }

  /** Returns the pid of a process; 0 if it has none. */
  async pidOf(name: string): Promise<number> {
    const text = await this.ctl(`pid ${name}`);
    assert.match(text, /^\d+\n$/);
    return Number(text);
  }

  /** Waits until a process has another pid. During a reload, the supervisor does not answer. */
  async untilNewPid(name: string, old: number): Promise<void> {
    await until(`a new pid of ${name}`, async () => {
      const text = await this.ctl(`pid ${name}`);
      return (/^[1-9]\d*\n$/.test(text) && Number(text) !== old) || notYet();
    });
  }

  /** Returns the pids of the children of a process, the oldest first. Waits until there is one. */
  async childrenOf(name: string): Promise<readonly number[]> {
    const pid = await this.pidOf(name);
    return until(`a child of ${name}`, async () => {
      const found = await childrenOf(pid);
      return found.length > 0 && found;
    });
  }

  /** Pid in a pidfile. */
  async daemon(path: string): Promise<number> {
    return Number(await this.untilFile(path, /^\d+\n$/));
  }

  async mode(path: string): Promise<number> {
    return (await stat(this.at(path))).mode & 0o777;
  }

  /** Waits until a process has ended. */
  async untilEnded(pid: number): Promise<void> {
    await until(`the end of ${pid}`, async () => !(await isAlive(pid)));
  }

  /** Returns the status and the page of the web server. */
  async page(login: string | null, path = '/'): Promise<{ status: number; text: string }> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      headers: login === null ? {} : { Authorization: `Basic ${btoa(login)}` },
    });
    return { status: response.status, text: await response.text() };
  }
}

/** Returns false after a delay. Without it, repeated commands would keep the processors busy. */
async function notYet(): Promise<false> {
  await sleep(ASK_AGAIN_MS);
  return false;
}

/** Asserts that all patterns match the text, in this order. */
export function assertOrder(text: string, ...patterns: readonly RegExp[]): void {
  const places = patterns.map((pattern) => text.search(pattern));
  assert.ok(
    !places.includes(-1) && places.every((place, index) => index === 0 || place > (places[index - 1] ?? 0)),
    `${patterns.map(String).join(', ')} in this order:\n${text}`,
  );
}

/**
 * Creates a program in place of one that does not exist here. It prints its name on both streams, and runs until it is
 * ended.
 */
export function standIn(name: string, before = ''): string {
  return `#!/bin/sh\n${before}\necho "${name} out $*"\necho "${name} err" >&2\nwhile :; do sleep 0.1; done\n`;
}

/** Adds the section that a text omits. Without it, Supervisor answers no supervisorctl; ours has it built in. */
export function withRpc(world: World, config: string): string {
  return world.subject.isOurs
    ? config
    : `${config}\n[rpcinterface:supervisor]\n` +
        `supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n`;
}

async function openWorld(t: TestContext, subject: Subject, text: string): Promise<World> {
  const root = await mkdtemp(join(await realpath(tmpdir()), 'write-up-'));
  const mark = randomUUID();
  t.after(async () => {
    await endMarked(`${MARK}=${mark}`);
    await rm(root, { recursive: true, force: true });
  });
  await chmod(root, 0o755);
  const world = new World({ test: t, subject, text, root, port: await freePort(), mark });
  for (const path of ['/usr/bin', '/var/run', '/var/log', '/etc', '/tmp', '/root']) await world.makeFolder(path);
  for (const name of ['supervisord', 'supervisorctl', 'echo_supervisord_conf'])
    await symlink(join(subject.bin, name), world.at(`/usr/bin/${name}`));
  await world.place('/usr/bin/sudo', '#!/bin/sh\nexec "$@"\n');
  return world;
}

/** Ends all processes of one world, which have the mark in their environment. */
async function endMarked(mark: string): Promise<void> {
  for (;;) {
    const marked: number[] = [];
    for (const name of await readdir('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      // The process has ended, or belongs to another user, so its environment cannot be read.
      const environment = await readFile(`/proc/${name}/environ`, 'latin1').catch(() => '');
      if (environment.split('\0').includes(mark)) marked.push(Number(name));
    }
    if (marked.length === 0) return;
    for (const pid of marked) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }
}
