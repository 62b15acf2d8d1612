/** Signals before the programs start, also those that the loop has not delivered yet when they start. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signalNumbers } from '../../../src/core/signals.ts';
import type { ReceivedSignal, SignalListener } from '../../../src/process/signals.ts';
import { EarlySignals } from '../../../src/startup/early-signals.ts';

const { SIGHUP, SIGTERM, SIGUSR2 } = signalNumbers;

const signal = (number: number): ReceivedSignal => ({ number, origin: 'unknown', sender: 0 });

/** A supervisor that writes down what it does. `forProgram` go to its program. */
function scene(forProgram: readonly number[]): {
  readonly did: string[];
  readonly pending: number[];
  readonly early: EarlySignals;
  readonly send: (number: number) => void;
} {
  const did: string[] = [];
  /** Signals that arrived, and that the next `listen` delivers before it returns. */
  const pending: number[] = [];
  let listener: SignalListener = () => undefined;
  const engine = { phase: 'running' };
  const isShutdownSignal = (number: number): boolean => number === SIGTERM && !forProgram.includes(number);
  const early = new EarlySignals(
    {
      listen: (next) => {
        listener = next;
        for (const number of pending.splice(0)) listener(signal(number));
      },
    },
    {
      engine,
      signals: {
        isForProgram: (number) => forProgram.includes(number),
        isShutdownSignal,
        take: ({ number }) => {
          did.push(`take ${number}`);
          if (isShutdownSignal(number)) engine.phase = 'stopping';
        },
      },
      start: () => void did.push('start'),
    },
  );
  return { did, pending, early, send: (number) => listener(signal(number)) };
}

test('a signal for the program waits for it, whenever it came', () => {
  const { did, pending, early, send } = scene([SIGTERM, SIGHUP]);
  send(SIGHUP);
  pending.push(SIGTERM);
  early.start();
  assert.deepEqual(did, ['start', `take ${SIGHUP}`, `take ${SIGTERM}`]);
  send(SIGTERM);
  assert.deepEqual(did.slice(3), [`take ${SIGTERM}`]);
});

test('a shutdown request that the loop has not delivered yet starts nothing', () => {
  const { did, pending, early } = scene([]);
  pending.push(SIGTERM);
  early.start();
  assert.deepEqual(did, [`take ${SIGTERM}`]);
  assert.equal(early.isOver, true);
});

test('a signal of the supervisor is handled before the programs start', () => {
  const { did, pending, early, send } = scene([SIGHUP]);
  send(SIGUSR2);
  pending.push(SIGHUP);
  early.start();
  assert.deepEqual(did, [`take ${SIGUSR2}`, 'start', `take ${SIGHUP}`]);
});
