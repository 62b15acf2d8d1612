/**
 * Not a test itself: calls every function of the addon named on the command line, with valid and invalid arguments,
 * under the sanitizers. Prints one line if all calls behaved as expected.
 */
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, rmSync, writeSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Addon, SpawnRequest } from '../../src/native/addon.ts';

const target: { exports: Partial<Addon> } = { exports: {} };
process.dlopen(target, process.argv[2] ?? '');
const addon = target.exports as Addon;

const plain: SpawnRequest = {
  file: '/bin/true',
  argv: ['true', 'a b', ''],
  env: ['A=1', 'B='],
  pidVariable: 'OWN_PID',
  directory: '/',
  umask: 0o22,
  uid: null,
  gid: null,
  groups: null,
  limits: [{ resource: 'core', soft: 0, hard: Infinity }],
  nice: 0,
  oomScoreAdj: null,
  capabilities: null,
  noNewPrivileges: true,
  cgroup: null,
  parentDeathSignal: 15,
  stdin: 'null',
  stdout: 'pipe',
  stderr: 'stdout',
  leadership: 'group',
  descriptors: [{ from: 0, to: 7 }],
};
const wrong = (change: object): object => ({ ...plain, ...change });

process.on('SIGCHLD', () => undefined);
for (let i = 0; i < 50; i += 1) {
  const { stdout, stdin } = addon.spawn(plain);
  assert.equal(stdin, null);
  closeSync(stdout ?? -1);
  assert.throws(() => addon.spawn({ ...plain, file: '/nowhere' }), {
    code: 'ENOENT',
    errno: 2,
    syscall: 'execve',
    stage: 'exec',
  });
  assert.throws(() => addon.spawn({ ...plain, argv: ['a\0b'] }), { code: 'EINVAL', stage: 'exec' });
  assert.throws(() => addon.spawn({ ...plain, directory: '/\0' }), { code: 'EINVAL', stage: 'directory' });
}
const kinds = [
  { file: 1 },
  { argv: 'x' },
  { argv: [1] },
  { env: null },
  { pidVariable: 1 },
  { pidVariable: undefined },
  { directory: 7 },
  { umask: -1 },
  { umask: 0.5 },
  { uid: -1 },
  { uid: 2 ** 32 },
  { gid: 'x' },
  { groups: 3 },
  { groups: ['x'] },
  { limits: [{}] },
  { limits: [{ resource: 'none', soft: 1, hard: 1 }] },
  { limits: [{ resource: 'cpu', soft: NaN, hard: 1 }] },
  { nice: 20 },
  { oomScoreAdj: 1001 },
  { capabilities: 1 },
  { capabilities: { dropped: [], kept: [64], ambient: [] } },
  { noNewPrivileges: null },
  { cgroup: 'x' },
  { parentDeathSignal: 65 },
  { stdin: 'stdout' },
  { stdout: 'stdout' },
  { stderr: 'x' },
  { stdin: -1 },
  { stdin: null },
  { leadership: 'nobody' },
  { descriptors: [{ from: 0, to: 2 }] },
  {
    descriptors: [
      { from: 0, to: 5 },
      { from: 0, to: 5 },
    ],
  },
];
for (const kind of kinds)
  assert.throws(
    () => addon.spawn(wrong(kind) as SpawnRequest),
    { code: 'ERR_INVALID_ARG_VALUE' },
    JSON.stringify(kind),
  );
assert.throws(() => addon.spawn(wrong({ descriptors: [null] }) as SpawnRequest), TypeError);
assert.throws(() => (addon.spawn as unknown as () => void)());
while (addon.reap(7).length > 0);
assert.throws(() => addon.reap(0));
assert.equal(addon.kill(process.pid, 0), 0);
assert.throws(() => addon.kill(1.5, 0));
addon.setSubreaper();
addon.ignoreSignal(21);
assert.throws(() => addon.ignoreSignal(9), { code: 'EINVAL' });
addon.unblockSignal(10);
assert.throws(() => addon.unblockSignal(0));
assert.equal(addon.userByName('root')?.uid, 0);
assert.equal(addon.userByName('no such user'), null);
assert.throws(() => addon.userByName('a\0b'));
assert.equal(addon.userById(0)?.name, 'root');
assert.equal(addon.groupByName('root')?.gid, 0);
assert.equal(addon.groupById(0)?.name, 'root');
assert.deepEqual(addon.groupsOf('no such user', 5), [5]);
const files = addon.getLimit('nofile');
addon.setLimit(files);
assert.throws(() => addon.getLimit('none'));
assert.throws(() => addon.setLimit({ resource: 'nofile', soft: 2, hard: 1 }), { code: 'EINVAL', syscall: 'setrlimit' });
assert.throws(() => addon.pipeSize(9999), { code: 'EBADF' });
assert.equal(addon.foregroundGroup(9999), -1);
assert.equal(addon.setForegroundGroup(9999, 1), 9);
assert.equal(addon.replaceDescriptor(9999, 2), 9);
assert.equal(addon.replaceDescriptor(2, 2), 0);
assert.ok(addon.signalPipe() > 2);
assert.equal(addon.catchSignal(40), true);
assert.equal(addon.catchSignal(40), false);
for (const number of [0, 65, 1.5]) assert.throws(() => addon.catchSignal(number), { code: 'ERR_INVALID_ARG_VALUE' });
assert.throws(() => addon.catchSignal(9), { code: 'EINVAL', syscall: 'sigaction' });
assert.throws(() => addon.readSignals(new Uint32Array(191)), { code: 'ERR_INVALID_ARG_VALUE' });
const caught = new Uint32Array(192);
// More than the pipe holds: no signal number is lost, and the overflow has one entry for each number.
for (let i = 0; i < 10_000; i += 1) addon.kill(process.pid, 40);
let taken = 0;
let lastSender = 0;
for (let count = addon.readSignals(caught); count > 0; count = addon.readSignals(caught)) {
  assert.deepEqual([...caught.subarray(0, 3)].slice(0, 2), [40, 0]);
  taken += count;
  lastSender = caught[count * 3 - 1] ?? 0;
}
assert.ok(taken > 4000 && taken < 10_000, `${taken} signals`);
assert.equal(lastSender, 2 ** 32 - 1, 'the sender of those that did not fit is not known');
const out = new Uint32Array(2);
const bytes = Buffer.from('one\ntwo\nthr');
const none = Buffer.alloc(0);
addon.frame(bytes, Buffer.from('> '), Buffer.alloc(100), out);
assert.deepEqual([...out], [8, 12]);
addon.frame(bytes, none, Buffer.alloc(100), out);
assert.deepEqual([...out], [8, 8]);
for (const [lines, target] of [
  [bytes.subarray(11), Buffer.alloc(9)],
  [bytes, none],
  [none, none],
] as const) {
  addon.frame(lines, Buffer.from('> '), target, out);
  assert.deepEqual([...out], [0, 0]);
}
const record = (source: Buffer, unit: number, target: Buffer): string => {
  addon.record(source, Buffer.from('{'), Buffer.from('}'), unit, target, out);
  return target.toString('latin1', 0, out[1]);
};
assert.equal(record(bytes, 0, Buffer.alloc(100)), '{"one"}{"two"}');
assert.equal(record(Buffer.from('a\r\n {\n'), 1, Buffer.alloc(100)), '{"a"}');
assert.deepEqual([...out], [3, 5]);
assert.equal(record(bytes, 2, Buffer.alloc(100)), String.raw`{"one\ntwo\nthr"}`);
for (const [source, unit, target] of [
  [bytes, 0, Buffer.alloc(21)],
  [bytes, 2, Buffer.alloc(69)],
  [bytes, 0, none],
  [none, 0, bytes],
] as const) {
  assert.equal(record(source, unit, target), '');
  assert.deepEqual([...out], [0, 0]);
}
assert.equal(record(none, 2, Buffer.alloc(4)), '{""}');
addon.record(bytes, none, bytes, 0, Buffer.alloc(100), out);
assert.deepEqual([...out], [0, 0]);
for (const unit of [-1, 3])
  assert.throws(() => record(bytes, unit, Buffer.alloc(9)), { code: 'ERR_INVALID_ARG_VALUE' });
assert.equal(addon.countNewlines(none), 0);
for (const size of [1, 15, 16, 17, 4096, 70_000]) {
  const text = Buffer.from('\n'.repeat(size));
  assert.equal(addon.countNewlines(text), size);
  // Not at the start of 16 bytes, as a block in the middle of a buffer.
  assert.equal(addon.countNewlines(text.subarray(1)), size - 1);
}
assert.equal(addon.countNewlines(Buffer.from('a\n\u008a\n'.repeat(100), 'latin1')), 200);
const halves = new Uint16Array(3) as unknown as Uint8Array;
assert.throws(() => addon.countNewlines(halves), { code: 'ERR_INVALID_ARG_VALUE' });
for (const [lines, prefix, target, count] of [
  [halves, bytes, bytes, out],
  [bytes, halves, bytes, out],
  [bytes, bytes, halves, out],
  [bytes, bytes, bytes, new Uint32Array(1)],
] as const) {
  assert.throws(() => addon.frame(lines, prefix, target, count), { code: 'ERR_INVALID_ARG_VALUE' });
}
const scratch = mkdtempSync(join(tmpdir(), 'onevisor-sockets-'));
const path = join(scratch, 's');
const listening = addon.listenUnix(path, 5, 0o700);
assert.throws(() => addon.listenUnix(path, 5, 0o700), { code: 'EADDRINUSE', syscall: 'bind' });
assert.throws(() => addon.listenUnix('x'.repeat(108), 5, 0o700), { code: 'ENAMETOOLONG' });
assert.throws(() => addon.listenUnix('a\0b', 5, 0o700), { code: 'ERR_INVALID_ARG_VALUE' });
assert.throws(() => addon.listenUnix(path, -1, 0o700), { code: 'ERR_INVALID_ARG_VALUE' });
assert.throws(() => addon.listenUnix(path, 5, 0o1000), { code: 'ERR_INVALID_ARG_VALUE' });
assert.throws(() => addon.connectDatagram(path), { code: 'EPROTOTYPE', syscall: 'connect' });
assert.throws(() => addon.connectDatagram(join(scratch, 'none')), { code: 'ENOENT', syscall: 'connect' });
assert.throws(() => addon.listenTcp('localhost', 0, 5), { code: 'EINVAL' });
assert.throws(() => addon.listenTcp('127.0.0.1', 65_536, 5), { code: 'ERR_INVALID_ARG_VALUE' });
const accepting = addon.listenTcp('127.0.0.1', 0, 5);
closeSync(addon.openConnectionWatch(accepting));
closeSync(accepting);
assert.throws(() => addon.openConnectionWatch(1000), { code: 'EBADF', syscall: 'epoll_ctl' });
assert.throws(() => addon.openConnectionWatch(-1), { code: 'ERR_INVALID_ARG_VALUE' });
assert.equal(addon.sendDatagram(9999, bytes, 0, bytes.length), 9);
assert.equal(addon.sendDatagram(9999, bytes, 3, 3), 9);
for (const [start, end] of [
  [5, 4],
  [0, 12],
  [-1, 1],
] as const)
  assert.throws(() => addon.sendDatagram(9999, bytes, start, end), { code: 'ERR_INVALID_ARG_VALUE' });
assert.throws(() => addon.sendDatagram(9999, 'text' as unknown as Uint8Array, 0, 1), { code: 'ERR_INVALID_ARG_VALUE' });
const peer = new Uint32Array(2);
assert.equal(addon.peerAt(path, peer), 0);
assert.deepEqual([...peer], [process.pid, process.getuid?.()]);
assert.throws(() => addon.peerAt(path, new Uint32Array(1)), { code: 'ERR_INVALID_ARG_VALUE' });
assert.throws(() => addon.peerOf('text' as unknown as number, peer), { code: 'ERR_INVALID_ARG_VALUE' });
closeSync(listening);
assert.equal(addon.peerAt(path, peer), constants.errno.ECONNREFUSED);
assert.equal(addon.peerAt(`@onevisor-nobody-${process.pid}`, peer), constants.errno.ECONNREFUSED);
assert.equal(addon.peerAt('x'.repeat(108), peer), constants.errno.ENAMETOOLONG);
assert.equal(addon.peerOf(9999, peer), constants.errno.EBADF);
rmSync(scratch, { recursive: true });
const reading = addon.openDatagram(`onevisor-sanitized-${process.pid}`);
assert.throws(() => addon.openDatagram(`onevisor-sanitized-${process.pid}`), { code: 'EADDRINUSE', syscall: 'bind' });
assert.throws(() => addon.openDatagram('x'.repeat(108)), { code: 'ENAMETOOLONG' });
const facts = new Uint32Array(4);
assert.equal(addon.receiveDatagram(reading, Buffer.alloc(10), facts), 11);
assert.throws(() => addon.receiveDatagram(reading, Buffer.alloc(10), new Uint32Array(3)), {
  code: 'ERR_INVALID_ARG_VALUE',
});
assert.throws(() => addon.receiveDatagram(reading, 'text' as unknown as Uint8Array, facts), {
  code: 'ERR_INVALID_ARG_VALUE',
});
assert.throws(() => addon.watchReadable(reading, 'text' as unknown as () => void), { code: 'ERR_INVALID_ARG_VALUE' });
assert.throws(() => addon.watchReadable(9999, () => undefined), { code: 'EBADF', syscall: 'epoll_ctl' });
addon.unwatchReadable(9999);
// An error that a watcher throws is an uncaught exception, and the loop continues. A watch may end itself, and be
// started again.
assert.equal(addon.countThreads(9), 9);
addon.trimMemory();
assert.equal(addon.textInPlace(Buffer.from('a\u00e9'.repeat(1000), 'latin1')), 'a\u00e9'.repeat(1000));
assert.equal(addon.textInPlace(none), '');
assert.throws(() => addon.textInPlace(halves), { code: 'ERR_INVALID_ARG_VALUE' });
assert.throws(() => addon.countThreads(65), { code: 'ERR_INVALID_ARG_VALUE' });
const clockWatch = addon.openClockWatch();
assert.equal(addon.rearmClockWatch(clockWatch), 0);
closeSync(clockWatch);
assert.equal(addon.rearmClockWatch(clockWatch), 9);
const { readEnd, writeEnd } = addon.openPipe();
let calls = 0;
process.once('uncaughtException', (error) => {
  assert.equal(error.message, 'thrown by a watcher');
  addon.unwatchReadable(readEnd);
  addon.watchReadable(readEnd, (errno) => {
    assert.equal(errno, 0);
    calls += 1;
    if (calls < 3) return;
    addon.unwatchReadable(readEnd);
    clearInterval(hold);
    // This descriptor is still watched when the process exits.
    addon.watchReadable(readEnd, () => assert.fail('called at the end'));
    assert.throws(() => addon.watchReadable(readEnd, () => undefined), { code: 'EEXIST' });
    process.on('exit', () => console.log('all calls made'));
    process.exit();
  });
});
addon.watchReadable(readEnd, () => {
  throw new Error('thrown by a watcher');
});
const hold = setInterval(() => undefined, 2 ** 30);
writeSync(writeEnd, '\n');
