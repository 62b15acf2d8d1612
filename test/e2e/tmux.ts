/** A terminal for a test: tmux draws what a program writes, and the test reads the screen and presses keys. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { until } from './observe.ts';

const run = promisify(execFile);

/** Options of a test that needs a terminal. */
export const needsTmux = spawnSync('tmux', ['-V']).status === 0 ? {} : { skip: 'no tmux on this machine' };

/** A terminal with a program in it. */
export class Tmux {
  readonly #env: NodeJS.ProcessEnv;

  private constructor(folder: string, env: Readonly<Record<string, string>>) {
    this.#env = { PATH: process.env['PATH'], HOME: folder, TMUX_TMPDIR: folder, LC_ALL: 'C.UTF-8', ...env };
  }

  /** Starts a program in a terminal of 80 × 24, which ends with the test. */
  static async start(
    t: TestContext,
    command: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Tmux> {
    const folder = await mkdtemp(join(tmpdir(), 'tmux-'));
    const tmux = new Tmux(folder, env);
    t.after(async () => {
      // The server has ended already if the program has.
      await tmux.#tmux('kill-server').catch(() => undefined);
      // The programs in it may still write their last files.
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    });
    await tmux.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', '80', '-y', '24', ...command);
    await tmux.#tmux('set-option', '-g', 'status', 'off');
    await tmux.#tmux('set-option', '-s', 'escape-time', '0');
    // Programs may copy texts (OSC 52).
    await tmux.#tmux('set-option', '-s', 'set-clipboard', 'on');
    await tmux.resize(80, 24);
    return tmux;
  }

  async #tmux(...args: readonly string[]): Promise<string> {
    return (await run('tmux', args, { env: this.#env })).stdout;
  }

  /** Presses keys, by the names of tmux: `j`, `Enter`, `Escape`, `C-z`. A text with a blank is typed. */
  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#tmux('send-keys', ...(key.includes(' ') ? ['-l'] : []), key);
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** Returns the text on the screen. */
  async screen(): Promise<string> {
    return this.#tmux('capture-pane', '-p');
  }

  /** Returns the text that a program has copied last. */
  async copied(): Promise<string> {
    return this.#tmux('show-buffer');
  }

  /** Closes the terminal, as a window that is closed. */
  async close(): Promise<void> {
    await this.#tmux('kill-server');
  }

  /** Waits until the screen has a text, and returns the screen. */
  async sees(pattern: RegExp): Promise<string> {
    let screen = '';
    try {
      await until(`the screen has ${pattern}`, async () => pattern.test((screen = await this.screen())));
    } catch (error) {
      throw new Error(`did not see ${pattern}; the screen is\n${screen}`, { cause: error });
    }
    return screen;
  }

  /** Returns the pid of the only child of the program. */
  async child(): Promise<number> {
    const pid = (await this.#tmux('display-message', '-p', '#{pane_pid}')).trim();
    return Number.parseInt(await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10);
  }
}
