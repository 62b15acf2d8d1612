/**
 * A terminal for a test: tmux draws what a program writes, and the test reads the screen and presses keys. One client
 * in control mode (`tmux -C`) carries all commands and tells when the screen may have changed: a process for each
 * command, and for each look at the screen, takes more time than the program under test.
 */
import { execFile, spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Options of a test that needs a terminal. */
export const needsTmux = spawnSync('tmux', ['-V']).status === 0 ? {} : { skip: 'no tmux on this machine' };

/** Time that a test waits for a text before it fails. */
const PATIENCE_MS = 30_000;

/** Time after which the screen is read again, also if tmux has told of no output. */
const LOOK_AGAIN_MS = 250;

/** Flag of an answer to a command of this client, in `%begin TIME NUMBER FLAGS`. */
const OWN_COMMAND = 1;

/** A command that waits for its answer. */
interface Waiting {
  resolve(answer: string): void;
  reject(error: Error): void;
}

/** A client of tmux in control mode: commands as lines, answers between `%begin` and `%end`, and notifications. */
class ControlClient {
  /** Resolves when tmux has ended the client. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  #waiting: Waiting[] | null = [];
  /** Lines of the answer that is being read; null outside of an answer. */
  #answer: string[] | null = null;
  #output = Promise.withResolvers<void>();
  /** Commands before the client has its session, which tmux would refuse: `no current target`. Null afterwards. */
  #early: string[] | null = [];

  constructor(args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn('tmux', ['-C', ...args], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    // A command may be written when the session has ended.
    this.#child.stdin.on('error', () => undefined);
    let rest = '';
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#take(line);
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#child.on('close', () => {
      for (const { reject } of this.#waiting ?? []) reject(new Error('tmux has ended'));
      this.#waiting = null;
      resolve();
    });
  }

  /** Resolves at the next output of the program. */
  get output(): Promise<void> {
    return this.#output.promise;
  }

  /** Runs a command. Returns its output without the last line end. */
  ask(...words: readonly string[]): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    if (this.#waiting === null) reject(new Error('tmux has ended'));
    else {
      this.#waiting.push({ resolve, reject });
      const line = `${words.map(quote).join(' ')}\n`;
      if (this.#early === null) this.#child.stdin.write(line);
      else this.#early.push(line);
    }
    return promise;
  }

  #begin(): void {
    for (const line of this.#early ?? []) this.#child.stdin.write(line);
    this.#early = null;
  }

  #take(line: string): void {
    const [word, , , flags] = line.split(' ');
    if (this.#answer === null) {
      if (word === '%begin') this.#answer = [];
      if (word === '%session-changed') this.#begin();
      if (word !== '%output') return;
      this.#output.resolve();
      this.#output = Promise.withResolvers();
    } else if (word === '%end' || word === '%error') {
      const text = this.#answer.join('\n');
      this.#answer = null;
      // The command of the command line has an answer, too.
      const waiting = (Number(flags) & OWN_COMMAND) === 0 ? undefined : this.#waiting?.shift();
      if (word === '%end') waiting?.resolve(text);
      else waiting?.reject(new Error(`tmux: ${text}`));
    } else this.#answer.push(line);
  }
}

/** Quotes a word of a command of tmux. */
function quote(word: string): string {
  return `"${word.replace(/[\\"$]/g, '\\$&')}"`;
}

/** A terminal with a program in it. */
export class Tmux {
  readonly #env: NodeJS.ProcessEnv;
  readonly #client: ControlClient;

  private constructor(folder: string, env: Readonly<Record<string, string>>, command: readonly string[]) {
    this.#env = { PATH: process.env['PATH'], HOME: folder, TMUX_TMPDIR: folder, LC_ALL: 'C.UTF-8', ...env };
    const session = ['new-session', '-x', '80', '-y', '24', ...command];
    this.#client = new ControlClient(['-f', '/dev/null', ...session], this.#env);
  }

  /** Starts a program in a terminal of 80 × 24, which ends with the test. */
  static async start(
    t: TestContext,
    command: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Tmux> {
    const folder = await mkdtemp(join(tmpdir(), 'tmux-'));
    const tmux = new Tmux(folder, env, command);
    t.after(async () => {
      // The server has ended already if the program has.
      await tmux.close().catch(() => undefined);
      await tmux.#client.ended;
      // The programs in it may still write their last files.
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    });
    await tmux.#client.ask('set-option', '-g', 'status', 'off');
    await tmux.#client.ask('set-option', '-s', 'escape-time', '0');
    // Programs may copy texts (OSC 52).
    await tmux.#client.ask('set-option', '-s', 'set-clipboard', 'on');
    await tmux.resize(80, 24);
    return tmux;
  }

  /** Presses keys, by the names of tmux: `j`, `Enter`, `Escape`, `C-z`. A text with a blank is typed. */
  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#client.ask('send-keys', ...(key.includes(' ') ? ['-l'] : []), key);
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#client.ask('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** Returns the text on the screen. */
  async screen(): Promise<string> {
    return `${await this.#client.ask('capture-pane', '-p')}\n`;
  }

  /** Returns the text that a program has copied last. A client in control mode would get it escaped. */
  async copied(): Promise<string> {
    return (await run('tmux', ['show-buffer'], { env: this.#env })).stdout;
  }

  /** Closes the terminal, as a window that is closed. */
  async close(): Promise<void> {
    await this.#client.ask('kill-server').catch(() => undefined);
  }

  /** Waits until the screen has a text, and returns the screen. */
  async sees(pattern: RegExp): Promise<string> {
    const deadlineMs = performance.now() + PATIENCE_MS;
    for (;;) {
      // Asked before the look: a later output causes another look.
      const { output } = this.#client;
      const screen = await this.screen();
      if (pattern.test(screen)) return screen;
      if (performance.now() > deadlineMs) throw new Error(`did not see ${pattern}; the screen is\n${screen}`);
      await Promise.race([output, sleep(LOOK_AGAIN_MS)]);
    }
  }

  /** Returns the pid of the only child of the program. */
  async child(): Promise<number> {
    const pid = (await this.#client.ask('display-message', '-p', '#{pane_pid}')).trim();
    return Number.parseInt(await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10);
  }
}
