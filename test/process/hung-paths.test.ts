/** Paths on file systems that may hang: which they are, and the looks at them before a start. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Clock } from '../../src/engine/ports.ts';
import { RemoteLane } from '../../src/files/remote-lane.ts';
import { waitAtMost } from '../../src/process/clock.ts';
import { pathsOfStart } from '../../src/process/start-paths.ts';
import { configOf, readText } from '../unit/config/memory-source.ts';
import { type LookedAt, PathProbe } from '../../src/files/path-probe.ts';
import { interpreterIn, readHead, readHeadOnThread } from '../../src/files/file-head.ts';
import { findRemote, mountsThatMayHang, parseMounts, readMounts } from '../../src/files/remote-mounts.ts';
import { makeTurns } from '../../src/watch/turns.ts';

const TABLE = `21 1 0:20 / / rw,relatime shared:1 - overlay overlay rw,lowerdir=/l
22 21 0:21 / /proc rw,nosuid - proc proc rw
30 21 0:40 / /srv/app rw,relatime shared:9 - nfs4 server:/app rw,vers=4.2
31 21 0:41 / /mnt/with\\040space rw - fuse.sshfs host: rw
32 21 0:42 / /data rw - nfs server:/data rw
33 21 0:43 / /data rw - tmpfs tmpfs rw
`;
const MOUNTS = parseMounts(TABLE);
const SRV = { mountPoint: '/srv/app', type: 'nfs4' };

const links = (targets: Readonly<Record<string, string>>) => (path: string) => targets[path] ?? null;

test('the table of mounts has remote file systems, and a mount hides the one below it', () => {
  assert.deepEqual(
    [...MOUNTS],
    [
      ['/srv/app', 'nfs4'],
      ['/mnt/with space', 'fuse.sshfs'],
    ],
  );
  assert.ok(readMounts() instanceof Map);
});

test('a path leads to a remote file system directly or by links', () => {
  const none = links({});
  assert.deepEqual(findRemote('/srv/app/bin/run', MOUNTS, none), { ...SRV, path: '/srv/app/bin/run' });
  assert.deepEqual(findRemote('/usr/../srv/./app', MOUNTS, none), { ...SRV, path: '/srv/app' });
  assert.equal(findRemote('/srv/application', MOUNTS, none), null);
  assert.equal(findRemote('/usr/bin/run', MOUNTS, none), null);
  const found = findRemote('/opt/run/x', MOUNTS, links({ '/opt': '/local', '/local/run': '../srv/app/bin' }));
  assert.deepEqual(found, { ...SRV, path: '/srv/app/bin/x' });
  assert.equal(findRemote('/loop', MOUNTS, links({ '/loop': 'loop' })), null, 'a loop of links');
  const everywhere = parseMounts('21 1 0:20 / / rw - virtiofs root rw\n');
  assert.deepEqual(findRemote('/bin/run', everywhere, none), { path: '/bin/run', mountPoint: '/', type: 'virtiofs' });
});

/** A clock that the test moves. */
class Time implements Clock {
  #nowMs = 0;
  readonly #alarms = new Set<{ readonly atMs: number; readonly wake: () => void }>();

  nowMs(): number {
    return this.#nowMs;
  }

  alarm(atMs: number, wake: () => void): () => void {
    const alarm = { atMs, wake };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    for (const alarm of this.#alarms) if (alarm.atMs <= this.#nowMs && this.#alarms.delete(alarm)) alarm.wake();
  }

  get alarms(): number {
    return this.#alarms.size;
  }
}

const turnOfLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A touch of a remote file, and its answer: the head of the file. */
interface Touch {
  readonly path: string;
  readonly answer: (head?: string) => void;
}

/** A probe whose touches the test answers. `local`: heads of local files. */
function probeWith(local: Readonly<Record<string, string>> = {}): {
  readonly time: Time;
  readonly touched: Touch[];
  readonly reasons: Array<string | null>;
  readonly look: (...paths: LookedAt[]) => () => void;
  readonly probe: PathProbe;
} {
  const time = new Time();
  const touched: Touch[] = [];
  const reasons: Array<string | null> = [];
  const touch = (path: string): Promise<Buffer | null> => {
    const { promise, resolve } = Promise.withResolvers<Buffer | null>();
    touched.push({ path, answer: (head = '') => resolve(Buffer.from(head)) });
    return promise;
  };
  const readLocal = (path: string): Buffer | null => (path in local ? Buffer.from(local[path] ?? '') : null);
  const probe = new PathProbe({ clock: time, mounts: () => MOUNTS, touch, readLocal });
  const look = (...paths: LookedAt[]): (() => void) =>
    probe.look(
      () => paths,
      (reason) => reasons.push(reason),
    );
  return { time, touched, reasons, look, probe };
}

const SILENT = '/srv/app/run cannot be reached: the file system /srv/app (nfs4) does not answer';

test('paths on the file systems of others may hang, unless the root is one', () => {
  const mayHang = mountsThatMayHang(MOUNTS);
  assert.deepEqual(['/srv/app', '/srv/app/logs', '/data', '/'].map(mayHang), [true, true, false, false]);
  const onRoot = mountsThatMayHang(new Map([['/', 'virtiofs'], ...MOUNTS]));
  assert.deepEqual(['/var/log', '/srv/app/logs'].map(onRoot), [false, true]);
  assert.ok(!mountsThatMayHang(new Map())('/srv/app'));
  assert.ok(!mountsThatMayHang()('/proc/self'));
});

test('a start on local disks does not wait', () => {
  const { touched, reasons, look } = probeWith();
  look('/bin/sh', '/usr');
  assert.deepEqual([reasons, touched], [[null], []]);
});

test('a start waits until its remote files have answered', async () => {
  const { time, touched, reasons, look } = probeWith();
  look('/srv/app/run', '/bin/sh', '/srv/app/dir');
  await turnOfLoop();
  assert.deepEqual(
    touched.map(({ path }) => path),
    ['/srv/app/run'],
  );
  touched[0]?.answer();
  await turnOfLoop();
  assert.deepEqual(reasons, []);
  touched[1]?.answer();
  await turnOfLoop();
  assert.deepEqual([reasons, time.alarms], [[null], 0]);
});

test('silence is a reason, and later starts do not wait or take another thread until it ends', async () => {
  const { time, touched, reasons, look } = probeWith();
  look('/srv/app/run');
  await turnOfLoop();
  time.advance(5000);
  assert.deepEqual(reasons, [SILENT]);
  look('/srv/app/run');
  await turnOfLoop();
  assert.deepEqual([reasons, touched.length], [[SILENT, SILENT], 1]);
  touched[0]?.answer();
  await turnOfLoop();
  look('/srv/app/run');
  await turnOfLoop();
  touched[1]?.answer();
  await turnOfLoop();
  assert.deepEqual(reasons, [SILENT, SILENT, null]);
});

test('a look that is cancelled ends at once, and only once', async () => {
  const { time, touched, reasons, look } = probeWith();
  const cancel = look('/srv/app/run');
  cancel();
  cancel();
  await turnOfLoop();
  touched[0]?.answer();
  await turnOfLoop();
  assert.deepEqual([reasons, time.alarms], [['it was stopped before it was started'], 0]);
});

test('work begins once its files have answered, and is ended as the look was', async () => {
  const { time, touched, probe } = probeWith();
  const log: string[] = [];
  const begin = (path: string): (() => void) =>
    probe.whenReached(
      () => [path],
      () => {
        log.push('begun');
        return () => log.push('ended');
      },
      (reason) => log.push(reason),
    );
  begin('/bin/sh')();
  assert.deepEqual(log.splice(0), ['begun', 'ended']);
  const end = begin('/srv/app/run');
  await turnOfLoop();
  touched[0]?.answer();
  await turnOfLoop();
  end();
  assert.deepEqual(log.splice(0), ['begun', 'ended']);
  begin('/srv/app/run')();
  assert.deepEqual(log, [], 'the refusal comes after the call');
  await turnOfLoop();
  assert.deepEqual(log.splice(0), ['it was stopped before it was started']);
  touched[1]?.answer();
  await turnOfLoop();
  begin('/srv/app/run');
  time.advance(5000);
  begin('/srv/app/run');
  assert.deepEqual(log, []);
  await turnOfLoop();
  assert.deepEqual(log, [SILENT, SILENT]);
});

test('the end waits for looks', async () => {
  const { time, touched, look, probe } = probeWith();
  await probe.idle();
  look('/srv/app/run');
  let isIdle = false;
  void probe.idle().then(() => (isIdle = true));
  await turnOfLoop();
  assert.equal(isIdle, false);
  touched[0]?.answer();
  await turnOfLoop();
  assert.deepEqual([isIdle, time.alarms], [true, 0]);
});

test('a wait for something that never comes ends', async () => {
  await waitAtMost(1, new Promise(() => undefined));
  await waitAtMost(60_000, Promise.resolve());
  await assert.rejects(waitAtMost(60_000, Promise.reject(new Error('no'))), /^Error: no$/);
});

test('one operation at a time is in the lane of a remote file system', () => {
  const taken = new Map();
  let mounts = MOUNTS;
  const laneOf = (path: string): RemoteLane => new RemoteLane(path, { mounts: () => mounts, taken });
  const log: string[] = [];
  const leaves: Array<() => void> = [];
  const enter = (path: string): void =>
    laneOf(path).enter((leave) => {
      log.push(path);
      leaves.push(leave);
    });
  for (const path of ['/srv/app/a', '/srv/app/b', '/var/log/c', '/mnt/with space/d', '/srv/app/e']) enter(path);
  assert.deepEqual(log.splice(0), ['/srv/app/a', '/var/log/c', '/mnt/with space/d']);
  leaves[1]?.();
  leaves[0]?.();
  assert.deepEqual(log.splice(0), ['/srv/app/b']);
  leaves[3]?.();
  leaves[4]?.();
  leaves[2]?.();
  assert.deepEqual([log.splice(0), taken.size], [['/srv/app/e'], 0]);
  const lane = laneOf('/srv/app/a');
  assert.ok(lane.isNeeded);
  mounts = new Map([['/', 'virtiofs']]);
  assert.ok(!lane.isNeeded, 'the root has no lane');
});

test('a start looks at its command, directory, users, and files with variables', () => {
  const file = '/run/a=1';
  const text =
    '[supervisord]\n[program:a]\ncommand=run -x\ndirectory=/srv/dir\nuser_env=true\n' +
    'environment=PATH="/far/bin:/bin",T_FILE="/run/t"\n' +
    `environment_file=${file}\nenvironment_dir=/run/dir\nexpand_file_variables=T,U\n`;
  const proc = configOf(readText(text)).groups[0]?.processes[0];
  assert.ok(proc !== undefined);
  const outer = { inherited: { PATH: '/usr/bin', U_FILE: '/run/u', V_FILE: '/run/v' }, common: new Map() };
  assert.deepEqual(pathsOfStart(proc, outer), [
    '/etc/passwd',
    '/etc/group',
    file,
    '/run/dir',
    '/run/u',
    '/run/t',
    '/srv/dir',
    { executable: '/far/bin/run' },
    { executable: '/bin/run' },
  ]);
});

test('the interpreters of a script are looked at, wherever the script is', async () => {
  const { touched, reasons, look } = probeWith({
    '/opt/near': '#! /opt/middle -x\n',
    '/opt/middle': '#!/srv/app/python\n',
    '/opt/binary': '\x7fELF',
    '/opt/loop': '#!/opt/loop\n',
  });
  look({ executable: '/opt/binary' }, { executable: '/opt/loop' }, '/opt/near');
  assert.deepEqual(reasons, [null], 'a script that is only read needs no interpreter');
  look({ executable: '/opt/near' });
  await turnOfLoop();
  touched[0]?.answer('#!/mnt/with space/sh\n');
  await turnOfLoop();
  // A blank ends the name: that interpreter is none of the remote ones.
  assert.deepEqual(reasons, [null, null]);
  look({ executable: '/srv/app/run' });
  await turnOfLoop();
  touched[1]?.answer('#!/opt/middle\n');
  await turnOfLoop();
  touched[2]?.answer();
  await turnOfLoop();
  assert.deepEqual(
    touched.map(({ path }) => path),
    ['/srv/app/python', '/srv/app/run', '/srv/app/python'],
  );
  assert.deepEqual(reasons, [null, null, null]);
});

/** The head of a 64-bit program with a loader. */
function programWith(loader: string): string {
  const head = Buffer.alloc(64 + 56);
  head.write('\x7fELF\x02\x01', 'latin1');
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  head.writeUInt32LE(3, 64);
  head.writeBigUInt64LE(BigInt(head.length), 64 + 8);
  head.writeBigUInt64LE(BigInt(loader.length + 1), 64 + 32);
  return `${head.toString('latin1')}${loader}\0`;
}

test('the loader of a program is looked at, also that of an interpreter', async () => {
  const { touched, reasons, look } = probeWith({
    '/opt/program': programWith('/srv/app/ld.so'),
    '/opt/script': '#!/opt/program\n',
    '/opt/near': programWith('/opt/lib/ld.so'),
    '/opt/relative': programWith('srv/app/ld.so'),
  });
  look({ executable: '/opt/near' }, { executable: '/opt/relative' });
  assert.deepEqual(reasons, [null]);
  look({ executable: '/opt/program' }, { executable: '/opt/script' });
  for (const index of [0, 1]) {
    await turnOfLoop();
    touched[index]?.answer();
  }
  await turnOfLoop();
  assert.deepEqual(
    touched.map(({ path }) => path),
    ['/srv/app/ld.so', '/srv/app/ld.so'],
  );
  assert.deepEqual(reasons, [null, null]);
});

test('the head of a file names its interpreter', async (t) => {
  for (const [head, path] of [
    ['#!/bin/sh', '/bin/sh'],
    ['#! \t/bin/sh -e\necho', '/bin/sh'],
    ['#!bin/sh\n', null],
    ['#!\n/bin/sh', null],
    [' #!/bin/sh', null],
    ['', null],
  ] as const)
    assert.equal(interpreterIn(Buffer.from(head)), path, head);
  const folder = mkdtempSync(join(tmpdir(), 'onevisor-head-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [script, fifo] = [join(folder, 'script'), join(folder, 'fifo')];
  writeFileSync(script, '#!/bin/sh\n'.padEnd(5000, 'x'));
  execFileSync('mkfifo', [fifo]);
  for (const read of [readHead, readHeadOnThread]) {
    assert.equal((await read(script))?.length, 4096);
    for (const other of [fifo, folder, join(folder, 'none')]) assert.equal(await read(other), null);
  }
});

test('a look at watched files that hangs loses its turn, and three of them make the others wait', async () => {
  const time = new Time();
  const inTurn = makeTurns(time);
  const log: string[] = [];
  const ends: Array<() => void> = [];
  const hang = (name: string): void =>
    void inTurn(
      () => {
        log.push(name);
        const { promise, resolve } = Promise.withResolvers<void>();
        ends.push(resolve);
        return promise;
      },
      () => log.push(`${name} hangs`),
    );
  for (const name of ['a', 'b', 'c', 'd']) hang(name);
  for (let turn = 0; turn < 4; turn += 1) {
    await turnOfLoop();
    time.advance(5000);
  }
  await turnOfLoop();
  assert.deepEqual(log, ['a', 'a hangs', 'b', 'b hangs', 'c', 'c hangs']);
  ends[1]?.();
  await turnOfLoop();
  assert.equal(log.at(-1), 'd');
  ends[3]?.();
  await turnOfLoop();
  assert.equal(time.alarms, 0);
});
