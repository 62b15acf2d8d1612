/** The view on a terminal of the test: raw mode, drawing, signals, and the restoration at each end. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, it, type TestContext } from 'node:test';
import type { TerminalPort } from '../../../../src/ctl/io.ts';
import { runCtl } from '../../../../src/ctl/run.ts';
import { processStruct, serve, type Methods } from '../fake-server.ts';

const ENTER = '\x1b[?1049h';
const LEAVE = '\x1b[?1049l';

/** A client with a terminal, beside a supervisor of these methods. */
class Client {
  readonly stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (isRaw: boolean) => this.modes.push(isRaw),
  });
  readonly stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 60, rows: 10 });
  readonly stderr = new PassThrough();
  readonly modes: boolean[] = [];
  readonly listeners = new Map<string, () => void>();
  readonly stops: string[] = [];
  readonly pages: string[] = [];
  pagerProblem: string | null = null;
  text = '';
  code: Promise<number> = Promise.resolve(0);
  #interrupt: () => void = () => undefined;

  static async start(
    t: TestContext,
    args = 'top',
    methods: Methods = {},
    env: Record<string, string> = {},
  ): Promise<Client> {
    const server = await serve({
      'onevisor.getStatus': () => [processStruct('web', 'RUNNING', { pid: 7 })],
      getAllProcessInfo: () => [processStruct('web', 'RUNNING', { pid: 7 })],
      ...methods,
    });
    const client = new Client();
    client.stdout.on('data', (chunk: Buffer) => (client.text += chunk.toString()));
    client.code = runCtl([args], {
      stdin: client.stdin,
      stdout: client.stdout,
      stderr: client.stderr,
      env: { HOME: server.directory, LC_ALL: 'C.UTF-8', ...env },
      cwd: server.directory,
      calledAs: '/opt/none/bin/onevisor',
      terminal: client.#port(),
      onInterrupt: (listener) => {
        client.#interrupt = listener;
        return () => undefined;
      },
    });
    t.after(() => server.close());
    return client;
  }

  #port(): TerminalPort {
    const subscribe = (name: string, listener: () => void): (() => void) => {
      this.listeners.set(name, listener);
      return () => this.listeners.delete(name);
    };
    return {
      onSignal: subscribe,
      onExit: (listener) => subscribe('exit', listener),
      writeNow: (text) => (this.text += text),
      stopSelf: () => this.stops.push(this.text.slice(-LEAVE.length)),
      page: async (text) => {
        this.pages.push(text);
        return this.pagerProblem;
      },
    };
  }

  interrupt(): void {
    this.#interrupt();
  }

  /** Waits for a text, and forgets what came up to it. */
  async sees(text: string): Promise<void> {
    for (let turn = 0; !this.text.includes(text); turn++) {
      if (turn > 1000) throw new Error(`did not see ${JSON.stringify(text)} in ${JSON.stringify(this.text)}`);
      await delay(5);
    }
    this.text = this.text.slice(this.text.indexOf(text) + text.length);
  }

  type(text: string): void {
    this.stdin.write(text);
  }

  /** Checks that the terminal was given back. */
  assertRestored(): void {
    assert.equal(this.modes.at(-1), false);
    assert.ok(this.text.includes(`\x1b[?25h${LEAVE}`), JSON.stringify(this.text));
    assert.deepEqual([...this.listeners.keys()], []);
  }
}

/** Answers with these lines, and never with more. */
function linesOnce(entries: readonly object[]): Methods[string] {
  return (query) => {
    if ((query as Record<string, unknown>)['after'] !== undefined) return new Promise(() => undefined);
    return { lines: JSON.stringify(entries), next: 1, more: false, epoch: 'e', missed: [] };
  };
}

describe('the terminal of the view', () => {
  it('takes the terminal, draws, answers keys, and gives it back', async (t) => {
    const client = await Client.start(t);
    await client.sees('web');
    assert.equal(client.modes.at(-1), true);
    client.type('/w');
    await client.sees('Filter: ');
    client.type('\x1b');
    await client.sees('? help');
    client.type('y');
    await client.sees(`\x1b]52;c;${Buffer.from('web').toString('base64')}\x07`);
    client.type('q');
    assert.equal(await client.code, 0);
    client.assertRestored();
  });

  it('draws everything again in a new size', async (t) => {
    const client = await Client.start(t);
    await client.sees(ENTER);
    await client.sees('r restart');
    Object.assign(client.stdout, { columns: 20, rows: 5 });
    client.stdout.emit('resize');
    await client.sees('\x1b[2J');
    Object.assign(client.stdout, { columns: 0, rows: 0 });
    client.stdout.emit('resize');
    await client.sees('\x1b[24;1H');
    client.type('\x03');
    assert.equal(await client.code, 0);
  });

  for (const [name, code] of [
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGQUIT', 131],
  ] as const)
    it(`gives the terminal back after ${name}`, async (t) => {
      const client = await Client.start(t);
      await client.sees('web');
      client.listeners.get(name)?.();
      assert.equal(await client.code, code);
      client.assertRestored();
    });

  it('ends after SIGINT, a closed terminal, and the end of its input', async (t) => {
    const interrupted = await Client.start(t);
    await interrupted.sees('web');
    interrupted.interrupt();
    assert.equal(await interrupted.code, 130);
    interrupted.assertRestored();
    const ended = await Client.start(t);
    await ended.sees('web');
    ended.stdin.end();
    assert.equal(await ended.code, 0);
    ended.assertRestored();
    const closed = await Client.start(t);
    await closed.sees('web');
    closed.stdout.destroy(Object.assign(new Error('gone'), { code: 'EPIPE' }));
    assert.equal(await closed.code, 0);
  });

  it('gives the terminal back before a stop, and takes it again, also if the stop is refused', async (t) => {
    const client = await Client.start(t);
    await client.sees('web');
    client.type('\x1a');
    await client.sees(ENTER);
    assert.deepEqual(client.stops, [LEAVE]);
    client.listeners.get('SIGTSTP')?.();
    client.listeners.get('SIGCONT')?.();
    await client.sees('web');
    // After SIGSTOP there is only this signal.
    client.modes.length = 0;
    client.listeners.get('SIGCONT')?.();
    await client.sees('web');
    assert.deepEqual(client.modes, [false, true]);
    client.type('q');
    assert.equal(await client.code, 0);
    client.assertRestored();
  });

  it('lends the terminal to the pager, and takes it back', async (t) => {
    const line = { seq: 1, at: 5, name: 'web:web', pid: 7, stream: 'stdout', text: 'first' };
    const client = await Client.start(t, 'top', {
      'onevisor.readLines': linesOnce([line]),
    });
    await client.sees('web');
    client.type('l');
    await client.sees('first');
    client.type('m');
    await client.sees('---- mark at ');
    client.pagerProblem = 'no pager: nothing';
    client.modes.length = 0;
    client.type('o');
    await client.sees(LEAVE);
    await client.sees('no pager: nothing');
    assert.deepEqual(client.modes, [false, false, true]);
    assert.match(client.pages.join(), /^[\d:.]{12} web \| first\n[\d:.]{12} \* ---- mark at [\d:]{8} ----\n$/);
    client.type('q');
    assert.equal(await client.code, 0);
    client.assertRestored();
  });

  it('copies the newest lines of a long log', async (t) => {
    const entries = Array.from({ length: 900 }, (_, at) => ({
      seq: at + 1,
      at: 5,
      name: 'web:web',
      pid: 7,
      stream: 'stdout',
      text: `${at} ${'x'.repeat(96)}`,
    }));
    const client = await Client.start(t, 'top', {
      'onevisor.readLines': linesOnce(entries),
    });
    await client.sees('web');
    client.type('l');
    await client.sees('899');
    client.type('c');
    await client.sees('\x1b]52;c;');
    await client.sees('copied, if the terminal allows it: the newest 7');
    client.type('q');
    assert.equal(await client.code, 0);
  });

  it('writes the restoration at an end that nobody expected', async (t) => {
    const client = await Client.start(t);
    await client.sees('web');
    client.listeners.get('exit')?.();
    assert.ok(client.text.endsWith(LEAVE));
    client.type('q');
    await client.code;
  });

  it('gives the terminal back after an error in this client', async (t) => {
    const client = await Client.start(t);
    await client.sees('web');
    const { write } = client.stdout;
    client.stdout.write = () => {
      client.stdout.write = write;
      throw new TypeError('broken');
    };
    client.type('G/');
    assert.equal(await client.code, 1);
    client.assertRestored();
    assert.match(client.text, /Error: broken/);
  });

  it('reports an action that ends after the view, and a server that refuses', async (t) => {
    let stopped: (() => void) | undefined;
    const client = await Client.start(t, 'top', {
      stopProcess: () => new Promise((resolve) => (stopped = () => resolve(true))),
      startProcess: () => true,
    });
    await client.sees('web');
    client.type('r\x1b[C\r');
    await client.sees('to be started again');
    client.type('q');
    await client.sees('finishing the restart of web');
    stopped?.();
    assert.equal(await client.code, 0);
    assert.match(client.text, /web: restarted/);
  });

  it('shows the status where there is no full screen, and refuses an unknown option', async (t) => {
    const dumb = await Client.start(t, 'top', {}, { TERM: 'dumb' });
    assert.equal(await dumb.code, 0);
    assert.match(dumb.text, /^web +RUNNING/);
    assert.equal(String(dumb.stderr.read()), 'top needs a terminal, and TERM is dumb; this is the status, once\n');
    const wrong = await Client.start(t, 'top --fast');
    assert.equal(await wrong.code, 2);
    assert.match(wrong.text, /top has no option --fast/);
  });
});
