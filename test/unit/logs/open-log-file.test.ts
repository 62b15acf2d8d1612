/** The mode, the owner and the directories of a log file, and files that another user may have put there. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadAddon } from '../../../src/native/load.ts';
import { CompressionTurns } from '../../../src/logs/compression.ts';
import { FileOutlet } from '../../../src/logs/file-outlet.ts';
import { openLogFile } from '../../../src/logs/open-log-file.ts';
import { PipeGrowth } from '../../../src/logs/outlets.ts';
import type { FileAccess, FileLimits } from '../../../src/logs/ports.ts';
import type { Sink } from '../../../src/logs/sink.ts';
import { until } from '../../e2e/observe.ts';
import { FakeClock, put, makeSink } from './fakes.ts';

const APP = 4242;
const EVE = 4343;
const skip = process.getuid?.() === 0 ? false : 'only root can give files away';
const folder = mkdtempSync(join(tmpdir(), 'open-log-'));
chmodSync(folder, 0o755);
after(() => rmSync(folder, { recursive: true }));
let count = 0;

const fresh = (): string => join(folder, `${++count}.log`);
const both: FileAccess = { mode: 0o640, owner: { uid: APP, gid: APP } };

function accessOf(path: string): readonly [mode: string, uid: number, gid: number] {
  const { mode, uid, gid } = statSync(path);
  return [(mode & 0o7777).toString(8), uid, gid];
}

async function open(path: string, access: FileAccess, makesDirectories = false): Promise<string | null> {
  const { fd, refusal } = await openLogFile(path, { access, makesDirectories });
  closeSync(fd);
  return refusal;
}

test('a new file has exactly the mode, whatever the umask', async () => {
  const before = process.umask(0o077);
  try {
    const path = fresh();
    assert.equal(await open(path, { mode: 0o664, owner: null }), null);
    assert.equal(accessOf(path)[0], '664');
  } finally {
    process.umask(before);
  }
});

test('new and existing files get the owner; a second opening changes nothing', { skip }, async () => {
  const path = fresh();
  assert.equal(await open(path, both), null);
  assert.deepEqual(accessOf(path), ['640', APP, APP]);
  assert.equal(await open(path, both), null);
  const old = fresh();
  writeFileSync(old, 'old\n');
  // The temporary directory may be below a directory of another user.
  assert.equal(await open(old, both), null);
  assert.deepEqual([...accessOf(old), readFileSync(old, 'utf8')], ['640', APP, APP, 'old\n']);
});

test('missing directories are made with the mode 0755, and the reason is told if they cannot be', async () => {
  const path = join(folder, 'some/where/x.log');
  await assert.rejects(open(path, { mode: null, owner: null }), { code: 'ENOENT' });
  assert.equal(await open(path, { mode: null, owner: null }, true), null);
  assert.equal(accessOf(join(folder, 'some/where'))[0], '755');
  writeFileSync(join(folder, 'file'), '');
  await assert.rejects(open(join(folder, 'file/x.log'), { mode: null, owner: null }, true), { code: 'ENOTDIR' });
  await assert.rejects(open('/proc/none/x.log', { mode: null, owner: null }, true), {
    message: /^its directory \/proc\/none cannot be made: no such file or directory \(ENOENT\)$/,
  });
});

test('a hard link is not given away', { skip }, async () => {
  const [secret, path] = [fresh(), fresh()];
  writeFileSync(secret, '', { mode: 0o600 });
  linkSync(secret, path);
  assert.match((await open(path, both)) ?? '', /^it has 2 names \(hard links\); give them to the file yourself, or/);
  assert.deepEqual(accessOf(secret), ['600', 0, 0]);
});

test('a file in a directory of another user is given to that user only if it is theirs', { skip }, async () => {
  const directory = join(folder, 'eve');
  mkdirSync(directory);
  chownSync(directory, EVE, EVE);
  const path = join(directory, 'x.log');
  writeFileSync(path, '', { mode: 0o600 });
  assert.match((await open(path, both)) ?? '', /^uid 4343 has one of its directories, and could have put another file/);
  chownSync(path, APP, APP);
  assert.match((await open(path, both)) ?? '', /^uid 4343 has one of its directories/);
  chownSync(path, EVE, EVE);
  assert.equal(await open(path, { mode: 0o644, owner: { uid: EVE, gid: EVE } }), null);
  assert.deepEqual(accessOf(path), ['644', EVE, EVE]);
  chmodSync(directory, 0o777);
  assert.match((await open(path, both)) ?? '', /^others can write to one of its directories/);
  rmSync(path);
  assert.equal(await open(path, both), null, 'a new file is ours, wherever it is');
  assert.deepEqual(accessOf(path), ['640', APP, APP]);
});

test('a planted file in a directory such as /tmp keeps its owner', { skip }, async () => {
  const sticky = join(folder, 'sticky');
  mkdirSync(sticky);
  chmodSync(sticky, 0o1777);
  const path = join(sticky, 'x.log');
  assert.equal(await open(path, both), null);
  assert.equal(await open(path, both), null, 'also where the kernel refuses O_CREAT for it (fs.protected_regular)');
  chownSync(path, EVE, EVE);
  const refusal = await open(path, both).catch((error: NodeJS.ErrnoException) => error.code);
  assert.match(refusal ?? '', /^it was made by another user \(uid 4343\)|^EACCES$/);
  assert.equal(accessOf(path)[1], EVE);
});

test('devices have no mode', { skip }, async () => {
  const before = accessOf('/dev/null');
  assert.equal(await open('/dev/null', both), null);
  assert.deepEqual(accessOf('/dev/null'), before);
});

/** A log with a queue, as the supervisor has it. */
function logAt(path: string, limits: FileLimits): { outlet: FileOutlet; sink: Sink; problems: string[] } {
  const clock = new FakeClock();
  const natives = loadAddon();
  const problems: string[] = [];
  const report = ({ text }: { text: string }): void => void problems.push(text);
  const turns = new CompressionTurns();
  const growth = new PipeGrowth(natives, clock);
  const shared = { growth, clock, turns };
  const sink = makeSink({
    name: path,
    outlet: (host) => new FileOutlet({ path, shared, host }, limits),
    natives,
    clock,
    report,
  });
  return { outlet: sink.outlet as FileOutlet, sink, problems };
}

test('a live change applies at once, and rotated and compressed files have mode and owner too', { skip }, async () => {
  const path = fresh();
  const limits: FileLimits = { maxBytes: 5, backups: 2, interval: null, compress: true };
  const { outlet, sink, problems } = logAt(path, limits);
  put(sink, 'a\n');
  await sink.idle();
  assert.equal(accessOf(path)[1], 0);
  outlet.limit(limits, { access: both, makesDirectories: false });
  await sink.idle();
  assert.deepEqual(accessOf(path), ['640', APP, APP]);
  put(sink, 'long line\n');
  await sink.idle();
  await until('the backup to be compressed', () => existsSync(`${path}.1.gz`) && !existsSync(`${path}.1`));
  for (const name of [path, `${path}.1.gz`]) assert.deepEqual(accessOf(name), ['640', APP, APP], name);
  assert.deepEqual(problems, []);
  await sink.close();
});

test('a refusal is reported once, not at each opening, and the log is written', async () => {
  const [other, path] = [fresh(), fresh()];
  writeFileSync(other, '', { mode: 0o600 });
  linkSync(other, path);
  const limits: FileLimits = { maxBytes: 0, backups: 0, interval: null, compress: false };
  const { outlet, sink, problems } = logAt(path, limits);
  outlet.limit(limits, { access: { mode: 0o644, owner: null }, makesDirectories: false });
  put(sink, 'a\n');
  await sink.idle();
  await sink.reopen();
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? '', /^cannot give .*\.log its mode and owner: it has 2 names \(hard links\); give them/);
  outlet.limit(limits, { access: { mode: 0o640, owner: null }, makesDirectories: false });
  await sink.idle();
  assert.equal(problems.length, 2, 'once for each change of the options');
  assert.deepEqual([readFileSync(path, 'utf8'), accessOf(path)[0]], ['a\n', '600']);
  await sink.close();
});
