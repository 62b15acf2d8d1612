/**
 * Not a test itself: makes random calls of the addon named on the command line, under the sanitizers, for a time.
 * Usage: addon-calls.ts ADDON SEED MILLISECONDS
 */
import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import type { Addon, SpawnRequest } from '../../src/native/addon.ts';
import { Random } from './random.ts';

const [path = '', seed = '1', forMs = '1000'] = process.argv.slice(2);
const target: { exports: Partial<Addon> } = { exports: {} };
process.dlopen(target, path);
const addon = target.exports as Addon;
const random = new Random(Number(seed));
let calls = 0;

const bytes = (most: number): Buffer => {
  const whole = Buffer.from(random.join(['a', 'bc', '\n', '\n', 'x'.repeat(70), '\0', 'é'], most));
  // A part of a larger buffer, so that reads next to it are found only by its own bounds.
  return random.chance(0.5) ? whole : Buffer.from(new Uint8Array(whole).buffer);
};

/** Frames lines and compares the result with that of a few lines of JavaScript. */
function frame(): void {
  const [lines, prefix] = [bytes(40), bytes(3)];
  const room = Buffer.alloc(random.below(600), 0xee);
  const out = new Uint32Array(2);
  addon.frame(lines, prefix, room, out);
  const expected: Buffer[] = [];
  let [taken, written] = [0, 0];
  for (let end = lines.indexOf(10); end !== -1; end = lines.indexOf(10, taken)) {
    const size = prefix.length + end + 1 - taken;
    if (written + size > room.length) break;
    expected.push(prefix, lines.subarray(taken, end + 1));
    taken = end + 1;
    written += size;
  }
  assert.deepEqual([...out], [taken, written]);
  assert.ok(Buffer.concat(expected).equals(room.subarray(0, written)));
  assert.equal(addon.countNewlines(lines), lines.toString('latin1').split('\n').length - 1);
}

const TEXTS = ['', '/bin/true', 'a', 'A=1', 'A', '\0', '\udcff', '\ud800', '😀', 'x'.repeat(5000), '/', '..', '%s%n'];
const text = (): string => random.pick(TEXTS);
const anything = (): unknown =>
  random.pick([
    null,
    undefined,
    0,
    -1,
    1.5,
    NaN,
    Infinity,
    2 ** 32,
    2 ** 53,
    '',
    'x',
    [],
    [1],
    {},
    true,
    Symbol('s'),
    10n,
    Buffer.alloc(3),
    new Float64Array(2),
    () => 1,
  ]);

const request: SpawnRequest = {
  file: '/bin/true',
  argv: ['true'],
  env: ['A=1'],
  pidVariable: 'OWN_PID',
  directory: '/',
  umask: 0o22,
  uid: null,
  gid: null,
  groups: null,
  limits: [],
  nice: 0,
  oomScoreAdj: null,
  capabilities: null,
  noNewPrivileges: true,
  cgroup: null,
  parentDeathSignal: 15,
  stdin: 'null',
  stdout: 'null',
  stderr: 'null',
  leadership: 'group',
  descriptors: [],
};

/** Starts a program with some fields of any type. */
function spawn(): void {
  const changed: Record<string, unknown> = { ...request };
  for (let count = random.below(3); count > 0; count -= 1) {
    const field = random.pick(Object.keys(request));
    changed[field] = random.pick([anything, text, () => [text(), text()], () => Array.from({ length: 300 }, text)])();
  }
  if (typeof changed['file'] === 'string' && changed['file'].startsWith('/')) changed['file'] = '/bin/true';
  try {
    const { stdin, stdout, stderr } = addon.spawn(changed as unknown as SpawnRequest) as unknown as Record<
      string,
      number | null
    >;
    for (const fd of [stdin, stdout, stderr]) if (typeof fd === 'number') closeSync(fd);
  } catch (error) {
    assert.ok(error instanceof Error);
  }
  while (addon.reap(64).length > 0);
}

/** Functions without a lasting effect on this process or on files. */
const HARMLESS = [
  'readSignals',
  'receiveDatagram',
  'sendDatagram',
  'writeNow',
  'connectDatagram',
  'userByName',
  'userById',
  'groupByName',
  'groupById',
  'groupsOf',
  'getLimit',
  'pipeSize',
  'growPipe',
  'foregroundGroup',
  'frame',
  'countNewlines',
  'peerOf',
  'unblockSignal',
] as const satisfies ReadonlyArray<keyof Addon>;
const functions = HARMLESS.map((name) => addon[name]);
/** Descriptors that nothing has. */
const NO_DESCRIPTOR = 9999;

/** Calls a function with arguments of any type. A number may be a descriptor, so it is one that is not open. */
function callAny(): void {
  const call = random.pick(functions);
  const args = Array.from({ length: random.below(6) }, () => {
    const value = random.chance(0.5) ? anything() : random.pick([text(), bytes(4), new Uint32Array(random.below(8))]);
    return typeof value === 'number' && value >= 0 ? NO_DESCRIPTOR : value;
  });
  try {
    (call as (...all: unknown[]) => unknown)(...args);
  } catch (error) {
    assert.ok(error instanceof Error);
  }
}

process.on('SIGCHLD', () => undefined);
for (const endMs = performance.now() + Number(forMs); performance.now() < endMs; calls += 1) {
  const kind = random.below(10);
  if (kind === 0) spawn();
  else if (kind < 5) callAny();
  else frame();
}
console.log(`${calls} calls`);
