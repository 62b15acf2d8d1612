/**
 * The log of a program as clients read and follow it: the file that is written, whatever its name, the queued bytes,
 * and new output.
 */
import assert from 'node:assert/strict';
import { appendFileSync, closeSync, mkdtempSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { BytesListener, FileState } from '../../../src/logs/ports.ts';
import { Tail } from '../../../src/logs/tail.ts';
import { ReadableLog } from '../../../src/supervisor/readable-log.ts';

/** Accepts any size. */
const freely = (): void => undefined;

const folder = mkdtempSync(join(tmpdir(), 'logs-'));
after(() => rmSync(folder, { recursive: true }));

/** A log with an open file, whose last bytes are queued. */
class World {
  readonly path = join(mkdtempSync(join(folder, 'x-')), 'x.log');
  readonly tail = new Tail(65_536);
  readonly listeners = new Set<BytesListener>();
  fd: number;
  size: number;
  queued = '';
  isOther = false;
  readonly log: ReadableLog;

  constructor(text: string) {
    writeFileSync(this.path, text);
    this.fd = openSync(this.path, 'a');
    this.size = text.length;
    this.log = new ReadableLog(
      {
        tail: (offset, length) => this.tail.tail(offset, length),
        readLog: (offset, length) => this.tail.read(offset, length),
        onBytes: (listener) => {
          this.listeners.add(listener);
          return () => this.listeners.delete(listener);
        },
        clear: () => Promise.resolve(),
      },
      this.path,
      { fileState: () => this.state },
    );
  }

  get state(): FileState {
    const { dev, ino } = statSync(`/proc/self/fd/${this.fd}`);
    return {
      file: this.isOther ? 'other' : { fd: this.fd, dev, ino, size: this.size },
      queued: Buffer.from(this.queued),
    };
  }

  /** Writes output that the file gets later. */
  say(text: string): void {
    const bytes = Buffer.from(text);
    this.tail.push(bytes, { seq: 1, wallMs: 0, pid: 7 });
    for (const listener of this.listeners) listener(bytes, 7);
  }

  follow(lastBytes: number): {
    readonly text: () => string;
    readonly until: (end: string) => Promise<void>;
    readonly end: () => void;
  } {
    let text = '';
    const end = this.log.follow(lastBytes, (bytes) => {
      text += Buffer.from(bytes).toString();
    });
    const until = async (wanted: string): Promise<void> => {
      while (!text.endsWith(wanted)) await new Promise((resolve) => setTimeout(resolve, 1));
    };
    return { text: () => text, until, end };
  }
}

test(
  'a follower gets the end of the file from before this start, what is queued, and what comes: no gap, no ' +
    'repetition',
  async () => {
    const world = new World('from an earlier start\n');
    world.queued = 'queued\n';
    const { text, until, end } = world.follow(20);
    // Queued lines are written before the file is read, and a new line too.
    appendFileSync(world.path, 'queued\nnew\n');
    world.say('new\n');
    await until('new\n');
    world.say('more\n');
    assert.equal(text(), 'earlier start\nqueued\nnew\nmore\n'.slice(-('queued\nnew\nmore\n'.length + 13)));
    end();
    world.say('unheard\n');
    assert.doesNotMatch(text(), /unheard/);
    closeSync(world.fd);
  },
);

test('the end of a renamed file is read until the log is reopened; then that of the new file', async () => {
  const world = new World('old text\n');
  world.say('old text\n');
  renameSync(world.path, `${world.path}.1`);
  assert.equal(Buffer.from((await world.log.tail(0, 5, freely)).bytes).toString(), 'text\n');
  assert.equal((await world.log.tail(0, 5, freely)).offset, 9);
  const before = world.follow(5);
  await before.until('text\n');
  before.end();
  closeSync(world.fd);
  writeFileSync(world.path, 'new\n');
  [world.fd, world.size] = [openSync(world.path, 'a'), 4];
  const later = world.follow(1024);
  await later.until('new\n');
  assert.equal(later.text(), 'new\n');
  later.end();
  closeSync(world.fd);
});

test('a deleted file does not exist; the log of a FIFO or device is its memory', async () => {
  const world = new World('text\n');
  rmSync(world.path);
  assert.deepEqual(await world.log.read(0, 0, freely), { kind: 'noFile', path: world.path });
  closeSync(world.fd);
  const other = new World('not for us\n');
  other.isOther = true;
  other.say('said\n');
  const log = new ReadableLog(
    {
      tail: (from, length) => other.tail.tail(from, length),
      readLog: (from, length) => other.tail.read(from, length),
      onBytes: () => () => undefined,
      clear: () => Promise.resolve(),
    },
    other.path,
    { fileState: () => other.state },
  );
  assert.deepEqual(await log.read(0, 0, freely), { kind: 'bytes', bytes: Buffer.from('said\n') });
  closeSync(other.fd);
});

test('a flood while the end of the file is read: the follower gets it, and the held bytes are limited', () => {
  const world = new World('text\n');
  const { text, end } = world.follow(10);
  for (let i = 0; i < 5; i++) world.say('x'.repeat(65_536));
  assert.equal(text().length, 5 * 65_536);
  end();
  closeSync(world.fd);
});
