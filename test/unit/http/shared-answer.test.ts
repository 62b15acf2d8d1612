/** Answers that clients share, with a clock of the test. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedAnswer } from '../../../src/http/shared-answer.ts';

/** A clock that sleeps until the test wakes it. */
class SleepyClock {
  ms = 0;
  readonly slept: number[] = [];
  #wake = (): void => undefined;

  readonly nowMs = (): number => this.ms;

  readonly sleep = (ms: number): Promise<void> => {
    this.slept.push(ms);
    return new Promise((resolve) => (this.#wake = resolve));
  };

  async wake(): Promise<void> {
    this.#wake();
    await settled();
  }
}

/** The signal of a client that stays. */
const stays = new AbortController().signal;

/** Lets all promises that can settle do so. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test('clients that ask while an answer waits share it, and no answer is older than its question', async () => {
  const clock = new SleepyClock();
  const shared = new SharedAnswer<number>(4, clock);
  let made = 0;
  const ask = (signal = stays): Promise<number> =>
    shared.ask(() => {
      clock.ms += 900;
      return Promise.resolve(++made);
    }, signal);
  assert.deepEqual(await Promise.all([ask(), ask()]), [1, 1]);
  await settled();
  const later = Promise.all([ask(), ask(), ask()]);
  const leaves = new AbortController();
  const left = assert.rejects(ask(leaves.signal), /the server closes/);
  leaves.abort(new Error('the server closes'));
  await left;
  await settled();
  assert.equal(made, 1, 'it waits for the end of the pause');
  await clock.wake();
  assert.deepEqual(await later, [2, 2, 2]);
  assert.deepEqual(clock.slept, [3600, 3600]);
});

test('an answer that is being made is not shared', async () => {
  const shared = new SharedAnswer<string>(4, { nowMs: () => 0, sleep: () => Promise.resolve() });
  let finish = (_text: string): void => undefined;
  const first = shared.ask(() => new Promise((resolve) => (finish = resolve)), stays);
  await settled();
  const second = shared.ask(() => Promise.resolve('the files of now'), stays);
  finish('the files before');
  assert.deepEqual(await Promise.all([first, second]), ['the files before', 'the files of now']);
});

test('a client that has left begins no answer', async () => {
  const shared = new SharedAnswer<number>(4, new SleepyClock());
  const left = AbortSignal.abort(new Error('the client has left'));
  let made = 0;
  const make = (): Promise<number> => {
    made += 1;
    return Promise.reject(new Error('nothing takes this error'));
  };
  await assert.rejects(shared.ask(make, left), /the client has left/);
  await settled();
  assert.equal(made, 0);
});

test('an answer that fails has its pause, too, which is limited', async () => {
  const clock = new SleepyClock();
  const shared = new SharedAnswer<number>(4, clock);
  const failed = shared.ask(() => {
    clock.ms += 60_000;
    return Promise.reject(new Error('no disk'));
  }, stays);
  await assert.rejects(failed, /no disk/);
  await settled();
  assert.deepEqual(clock.slept, [5000]);
  await clock.wake();
  assert.equal(await shared.ask(() => Promise.resolve(7), stays), 7);
});
