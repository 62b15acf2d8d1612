/** The data of the view: samples, lines, a lost connection, another supervisor, servers without our methods. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it, mock, type TestContext } from 'node:test';
import { RpcFault } from '../../../../src/core/faults.ts';
import { ConnectionError, InterruptError } from '../../../../src/ctl/errors.ts';
import { TopSource } from '../../../../src/ctl/top/source.ts';
import { LOG_RANGES, type LogRange } from '../../../../src/ctl/top/log-ranges.ts';
import { openLog, type Pane, reopenLog, type TopEvent } from '../../../../src/ctl/top/state.ts';
import type { XmlRpcStruct, XmlRpcValue } from '../../../../src/rpc/xmlrpc.ts';
import { processStruct } from '../fake-server.ts';

const TARGET = { name: 'web', request: 'web:web', ids: ['web:web'] };
const LOG: Pane = openLog(TARGET);
const DESCRIPTION: Pane = { kind: 'description', target: TARGET, lines: [], top: 0 };

type Answer = (params: readonly XmlRpcValue[], signal: AbortSignal) => XmlRpcValue | Promise<XmlRpcValue>;

const never: Answer = async (_params, signal) => {
  await once(signal, 'abort');
  throw new InterruptError();
};
const lines = (next: number, texts: readonly string[], more: XmlRpcStruct = {}): XmlRpcStruct => ({
  lines: JSON.stringify(texts.map((text, at) => ({ seq: at, at: 5, name: 'web:web', pid: 7, stream: 'stdout', text }))),
  next,
  more: false,
  epoch: 'e1',
  missed: [],
  ...more,
});
const refused = (): never => {
  throw new ConnectionError('ECONNREFUSED', null);
};

/** A source with a supervisor of these answers. Time passes with `tick` only. */
class Scene {
  readonly answers: Record<string, Answer> = {
    getStatus: () => [processStruct('web', 'RUNNING', { pid: 7 })],
    readLines: ([query], signal) => ((query as XmlRpcStruct)['after'] === undefined ? lines(1, []) : never([], signal)),
  };
  readonly events: TopEvent[] = [];
  readonly calls: string[] = [];
  readonly source: TopSource;

  constructor(t: TestContext) {
    mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    this.source = new TopSource({
      call: async (method, params, signal) => {
        const name = method.replace(/^\w+\./, '');
        this.calls.push(name);
        const answer = this.answers[name];
        if (answer === undefined) throw RpcFault.of('UNKNOWN_METHOD');
        return answer(params, signal);
      },
      serverUrl: 'unix:///none',
      explain: (error) => `no supervisor answers at unix:///s (from x): ${(error as Error).message}`,
      describe: ({ statename, description }) => [`${statename} ${description}`],
      dispatch: (event) => this.events.push(event),
      nowMs: () => Date.now(),
    });
    const running = this.source.run();
    t.after(async () => {
      this.source.end();
      await running;
      mock.timers.reset();
    });
  }

  /** Lets promises settle, then time pass, then promises settle again. */
  async tick(ms = 0): Promise<void> {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    if (ms > 0) mock.timers.tick(ms);
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  }

  count(name: string): number {
    return this.calls.filter((call) => call === name).length;
  }

  get texts(): string[] {
    return this.events.flatMap((event) => (event.kind === 'lines' ? event.lines.map(({ text }) => text) : []));
  }
}

describe('the data of the view', () => {
  it('samples once a second, at once after an action, and never while paused', async (t) => {
    const scene = new Scene(t);
    await scene.tick();
    assert.equal(scene.count('getStatus'), 1);
    await scene.tick(999);
    assert.equal(scene.count('getStatus'), 1);
    await scene.tick(1);
    assert.equal(scene.count('getStatus'), 2);
    scene.source.refresh();
    await scene.tick();
    assert.equal(scene.count('getStatus'), 3);
    scene.source.want({ isPaused: true, pane: null });
    await scene.tick(10_000);
    assert.equal(scene.count('getStatus'), 3);
    scene.source.want({ isPaused: false, pane: null });
    await scene.tick();
    assert.equal(scene.count('getStatus'), 4);
  });

  it('reads the history of a log, follows it, and stops when another one is wanted', async (t) => {
    const scene = new Scene(t);
    const waiting: Array<(value: XmlRpcValue) => void> = [];
    scene.answers['readLines'] = ([query], signal) => {
      const { after, streams } = query as XmlRpcStruct;
      if (Array.isArray(streams) && streams.includes('supervisor')) return lines(0, []);
      if (after === undefined) return lines(5, ['old']);
      return Promise.race([never([], signal), new Promise<XmlRpcValue>((resolve) => waiting.push(resolve))]);
    };
    await scene.tick();
    scene.source.want({ isPaused: false, pane: LOG });
    await scene.tick();
    assert.deepEqual(scene.texts, ['old']);
    waiting[0]?.(lines(6, ['new'], { missed: [{ name: 'web:web', stream: 'stdout', bytes: 9 }] }));
    await scene.tick(100);
    assert.deepEqual(scene.texts, ['old', 'up to 9 bytes of web (stdout) are lost', 'new']);
    scene.source.want({ isPaused: false, pane: { ...LOG, target: { ...TARGET, name: 'db' } } });
    await scene.tick();
    assert.deepEqual(scene.texts.at(-1), 'old');
    assert.equal(waiting.length, 3);
  });

  it('says so when the connection is lost, and when another supervisor answers', async (t) => {
    const scene = new Scene(t);
    scene.source.want({ isPaused: false, pane: LOG });
    await scene.tick();
    const { getStatus, readLines } = scene.answers as { getStatus: Answer; readLines: Answer };
    scene.answers['getStatus'] = refused;
    scene.answers['readLines'] = refused;
    await scene.tick(1000);
    const loss = scene.events.find((event) => event.kind === 'loss');
    assert.equal(loss?.kind === 'loss' && loss.loss.reason, '[Errno 111] Connection refused');
    scene.answers['getStatus'] = getStatus;
    scene.answers['readLines'] = async (params, signal) => ({
      ...((await readLines(params, signal)) as XmlRpcStruct),
      epoch: 'e2',
    });
    await scene.tick(1000);
    const message = scene.events.findLast((event) => event.kind === 'message');
    assert.match(message?.kind === 'message' ? (message.message?.text ?? '') : '', /started anew/);
  });

  it('says so when the same supervisor answers again', async (t) => {
    const scene = new Scene(t);
    await scene.tick();
    const { getStatus } = scene.answers as { getStatus: Answer };
    scene.answers['getStatus'] = refused;
    await scene.tick(1000);
    scene.answers['getStatus'] = getStatus;
    await scene.tick(1000);
    const message = scene.events.findLast((event) => event.kind === 'message');
    assert.match(message?.kind === 'message' ? (message.message?.text ?? '') : '', /the same supervisor/);
  });

  it('notes a lost connection in the log once, and goes on', async (t) => {
    const scene = new Scene(t);
    let isLost = false;
    scene.answers['readLines'] = ([query], signal) => {
      if ((query as XmlRpcStruct)['after'] === undefined) return lines(5, ['old']);
      if (isLost) return refused();
      return scene.count('readLines') > 5 ? lines(6, ['new'], { epoch: 'e2' }) : never([], signal);
    };
    isLost = true;
    scene.source.want({ isPaused: false, pane: LOG });
    await scene.tick(1000);
    await scene.tick(1000);
    isLost = false;
    await scene.tick(1000);
    await scene.tick(1000);
    const [old, refusal, again, fresh] = scene.texts;
    assert.deepEqual([old, refusal], ['old', '[Errno 111] Connection refused']);
    assert.deepEqual([again, fresh], ['the supervisor has been started anew', 'new']);
  });

  it('skips lines rather than fall behind, says so, and shows none twice', async (t) => {
    const scene = new Scene(t);
    const numbered = (...seqs: readonly number[]): string =>
      JSON.stringify(seqs.map((seq) => ({ seq, at: 5, name: 'web:web', pid: 7, stream: 'stdout', text: `${seq}` })));
    const answers = [
      lines(10, [], { lines: numbered(9, 10), more: true }),
      // More than one answer can hold has come: the latest lines follow.
      lines(20, [], { lines: numbered(11, 20), more: true }),
      lines(22, [], { lines: numbered(20, 21, 22), more: true }),
      lines(30, [], { lines: numbered(23, 30), more: true }),
      lines(51, [], { lines: numbered(50, 51), more: true }),
    ];
    scene.answers['readLines'] = (params, signal) => answers.shift() ?? never(params, signal);
    scene.source.want({ isPaused: false, pane: LOG });
    for (let turn = 0; turn < 4; turn++) await scene.tick(100);
    const skipped = 'lines were skipped: more come than can be shown';
    assert.deepEqual(scene.texts, ['9', '10', '11', '20', '21', '22', '23', '30', skipped, '50', '51']);
  });

  const paneOf = (range: LogRange | undefined): Pane => reopenLog(openLog(TARGET), range ?? LOG_RANGES[0]!);
  /** A log of 6,000 lines in memory, one a second until now. */
  const longLog = (scene: Scene, nowMs: number): void => {
    const all = Array.from({ length: 6000 }, (_, at) => ({
      seq: at + 1,
      at: nowMs - (6000 - at) * 1000,
      name: 'web:web',
      pid: 7,
      stream: 'stdout',
      text: String(at),
    }));
    scene.answers['getAllProcessInfo'] = () => [processStruct('web', 'RUNNING', { pid: 7 })];
    scene.answers['readLines'] = ([query], signal) => {
      const { after, limit } = query as { after?: number; limit: number };
      if (after !== undefined) return never([], signal);
      return lines(6000, [], { lines: JSON.stringify(all.slice(-limit)), more: limit < 6000 });
    };
  };

  it('reads a part of time, and at most as many lines as can be shown', async (t) => {
    const scene = new Scene(t);
    longLog(scene, Date.now());
    scene.source.want({ isPaused: false, pane: paneOf(LOG_RANGES[3]) });
    for (let turn = 0; turn < 20; turn++) await scene.tick();
    assert.deepEqual([scene.texts.length, scene.texts[0], scene.texts.at(-1)], [300, '5700', '5999']);
    scene.source.want({ isPaused: false, pane: paneOf({ ...LOG_RANGES[6]!, ms: 10_000_000 }) });
    for (let turn = 0; turn < 20; turn++) await scene.tick();
    const last = scene.events.findLast((event) => event.kind === 'lines');
    const texts = last?.kind === 'lines' ? last.lines.map(({ text }) => text) : [];
    assert.equal(texts.length, 5000);
    assert.match(texts[0] ?? '', /^older lines of this time are left out/);
    assert.equal(texts.at(-1), '5999');
  });

  it('reads the oldest lines, and follows only if there is room', async (t) => {
    const scene = new Scene(t);
    longLog(scene, Date.now());
    scene.source.want({ isPaused: false, pane: paneOf(LOG_RANGES[1]) });
    for (let turn = 0; turn < 20; turn++) await scene.tick();
    assert.deepEqual([scene.texts.length, scene.texts[0], scene.texts[4998]], [5000, '0', '4998']);
    assert.match(scene.texts[4999] ?? '', /^these are the oldest 5000 lines; 0 shows the newest$/);
    const asked = scene.count('readLines');
    await scene.tick(1000);
    assert.equal(scene.count('readLines'), asked);
    // A key of another part reads again.
    scene.source.want({ isPaused: false, pane: paneOf(LOG_RANGES[2]) });
    for (let turn = 0; turn < 20; turn++) await scene.tick();
    assert.equal(scene.texts.length, 5059);
  });

  it('asks for the description while it is shown', async (t) => {
    const scene = new Scene(t);
    scene.answers['describeProcess'] = ([name]) => processStruct('web', 'RUNNING', { description: name ?? '' });
    await scene.tick();
    scene.source.want({ isPaused: false, pane: DESCRIPTION });
    await scene.tick();
    const description = scene.events.findLast((event) => event.kind === 'description');
    assert.deepEqual(description?.kind === 'description' && description.lines, ['RUNNING web:web']);
    scene.answers['describeProcess'] = () => {
      throw RpcFault.of('BAD_NAME', 'web');
    };
    await scene.tick(1000);
    const failed = scene.events.findLast((event) => event.kind === 'description');
    assert.match(failed?.kind === 'description' ? failed.lines.join() : '', /no description: .*BAD_NAME/);
  });

  it('works with a server that has none of our methods', async (t) => {
    const scene = new Scene(t);
    delete scene.answers['getStatus'];
    delete scene.answers['readLines'];
    scene.answers['getAllProcessInfo'] = () => [
      processStruct('web', 'EXITED', { exitstatus: 1, description: 'Nov 29 01:00 PM' }),
    ];
    scene.source.want({ isPaused: false, pane: LOG });
    await scene.tick();
    const sample = scene.events.find((event) => event.kind === 'processes');
    const [web] = sample?.kind === 'processes' ? sample.processes : [];
    assert.deepEqual([web?.tone, web?.why, web?.memory], ['bad', 'Nov 29 01:00 PM', null]);
    assert.deepEqual(scene.texts.length, 1);
    await scene.tick(1000);
    assert.equal(scene.count('getStatus'), 1);
    assert.deepEqual(scene.texts.length, 1);
  });
});
