/** The rule for links of other users (files/links.ts), whatever the machine's fs.protected_symlinks. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import {
  ForeignLinkError,
  openTrusted,
  resolveLinks,
  openToRead,
  resolveLinksAsync,
  trustedPath,
} from '../../../src/files/links.ts';
import { FileError, readPipe, readRegularFile } from '../../../src/files/read-file.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'onevisor-links-')));
after(() => rmSync(folder, { recursive: true }));
const place = (name: string): string => join(folder, name);

mkdirSync(place('sticky'));
chmodSync(place('sticky'), 0o1777);
mkdirSync(place('plain/deep'), { recursive: true });
writeFileSync(place('plain/target'), 'target');
const link = (name: string, target: string, owner: number | null = null): string => {
  symlinkSync(target, place(name));
  if (owner !== null) lchownSync(place(name), owner, owner);
  return place(name);
};

test('our own links, and links outside sticky directories, are followed', async () => {
  link('sticky/ours', '../plain/target');
  link('plain/up', 'deep');
  link('plain/absolute', place('plain/deep'));
  link('plain/dangling', 'none');
  const rows: ReadonlyArray<readonly [path: string, resolved: string]> = [
    ['plain/target', 'plain/target'],
    ['sticky/ours', 'plain/target'],
    ['plain/up/x', 'plain/deep/x'],
    ['plain/absolute/./x', 'plain/deep/x'],
    // The kernel goes up from the target of a link, not from the link.
    ['plain/absolute/../target', 'plain/target'],
    ['plain/dangling', 'plain/none'],
    ['plain/none/a/b', 'plain/none/a/b'],
    ['plain/target/x', 'plain/target/x'],
  ];
  for (const [path, resolved] of rows) {
    for (const found of [resolveLinks(`${folder}/${path}`), await resolveLinksAsync(`${folder}/${path}`)])
      assert.deepEqual([found.path, found.isFollowed], [place(resolved), false], path);
  }
  assert.equal(resolveLinks('x').path, join(process.cwd(), 'x'));
  assert.equal(readFileSync((await trustedPath(place('sticky/ours'), 0)).path, 'utf8'), 'target');
});

test(
  'the users who could make a path lead elsewhere are known',
  { skip: !isRoot && 'only root can give files away' },
  () => {
    const controlOf = (path: string): readonly [uids: number[], isSticky: boolean] => {
      const { uids, isSticky } = resolveLinks(place(path)).control;
      return [[...uids], isSticky];
    };
    for (const name of ['foreign', 'given', 'group', 'own']) mkdirSync(place(`control/${name}`), { recursive: true });
    for (const name of ['foreign', 'given']) chownSync(place(`control/${name}`), NOBODY, NOBODY);
    chmodSync(place('control/group'), 0o775);
    link('control/foreign/out', '../given', NOBODY);
    const isInTmp = resolveLinks(folder).control.isSticky;
    assert.deepEqual(controlOf('control/own/log'), [[], isInTmp]);
    assert.deepEqual(controlOf('control/foreign/log'), [[NOBODY], isInTmp]);
    // The user of the link could make it lead anywhere.
    assert.deepEqual(controlOf('control/foreign/out/log'), [[NOBODY], isInTmp]);
    assert.deepEqual(controlOf('control/group/log'), [[-1], isInTmp]);
    assert.deepEqual(controlOf('sticky/log'), [[], true]);
  },
);

test('the kernel follows links of /proc, since their targets may have no path', async () => {
  assert.equal(resolveLinks('/dev/fd/1').isFollowed, true);
  const { path, flags } = await trustedPath('/proc/self/fd/1', constants.O_WRONLY);
  assert.deepEqual([path, flags], ['/proc/self/fd/1', constants.O_WRONLY]);
});

test('a circle of links is an error', () => {
  link('plain/a', 'b');
  link('plain/b', 'a');
  assert.throws(() => resolveLinks(place('plain/a')), { code: 'ELOOP' });
});

test('a link that is created after the check is not followed', async () => {
  const { flags } = await trustedPath(place('plain/none'), constants.O_WRONLY);
  assert.notEqual(flags & constants.O_NOFOLLOW, 0);
  assert.ok(!existsSync(place('plain/none')));
});

/** Creates a link in a sticky directory that belongs neither to the user nor to the owner of the directory. */
function plantedLink(target: string): readonly [path: string, uid: number] {
  if (isRoot) return [link(`sticky/planted${lstatSync(folder).ino}${target.length}`, target, NOBODY), 0];
  // /tmp belongs to root, and the user is a different one.
  const path = `${tmpdir()}/${folder.split('/').at(-1)}.planted`;
  symlinkSync(target, path);
  after(() => rmSync(path));
  return [path, NOBODY];
}

test('a foreign link is refused by name, also within a path, and also without a target', async () => {
  const [path, uid] = plantedLink(place('plain'));
  for (const asked of [path, `${path}/target`, `${path}/none/x`]) {
    const isRefused = (error: unknown): boolean =>
      error instanceof ForeignLinkError &&
      error.message.startsWith(`the symbolic link ${path} belongs to another user (uid `);
    assert.throws(() => resolveLinks(asked, uid), isRefused);
    await assert.rejects(resolveLinksAsync(asked, uid), isRefused);
  }
});

test(
  'a file is not opened through a foreign link',
  { skip: isRoot ? false : 'only root can give a link to another user' },
  async () => {
    const path = link('sticky/pid', place('plain/created'), NOBODY);
    assert.throws(() => openTrusted(path, constants.O_WRONLY | constants.O_CREAT, 0o600), ForeignLinkError);
    assert.ok(!existsSync(place('plain/created')));
    await assert.rejects(trustedPath(path, constants.O_WRONLY), ForeignLinkError);
    const secret = link('sticky/secret', place('plain/target'), NOBODY);
    assert.throws(
      () => readRegularFile(secret, 100),
      (error: unknown) =>
        error instanceof FileError && error.code === 'EACCES' && /belongs to another user/.test(error.message),
    );
    await assert.rejects(readPipe(secret, 100, 100), FileError);
    closeSync(openTrusted(place('plain/created'), constants.O_WRONLY | constants.O_CREAT, 0o600));
  },
);

const needsRoot = isRoot ? false : 'only root can give files away, and only for root there is this rule';

/** Makes a directory of an unprivileged user, as the directory of the logs of a program may be. */
function directoryOf(name: string): string {
  mkdirSync(place(name));
  chownSync(place(name), NOBODY, NOBODY);
  return place(name);
}

test('as root, a link of another user is followed only to what belongs to that user', { skip: needsRoot }, async () => {
  const theirs = directoryOf('theirs');
  mkdirSync(`${theirs}/deep`);
  writeFileSync(`${theirs}/deep/old.log`, 'old');
  chownSync(`${theirs}/deep`, NOBODY, NOBODY);
  writeFileSync(place('plain/given'), 'given');
  chownSync(place('plain/given'), NOBODY, NOBODY);
  const rows: ReadonlyArray<readonly [target: string, more: string, isFollowed: boolean]> = [
    ['deep/old.log', '', true],
    ['deep/new.log', '', true],
    ['deep', '/none/new.log', true],
    ['../plain/given', '', true],
    ['/dev/stdout', '', !statSync('/dev/stdout', { throwIfNoEntry: false })?.isFile()],
    ['/dev/null', '', true],
    ['../plain/target', '', false],
    ['../plain/created', '', false],
    ['../plain', '/target', false],
    ['../plain', '/none/x', false],
    ['/proc/self/root', place('plain/target'), false],
    [`/proc/self/root${place('plain/target')}`, '', false],
  ];
  for (const [index, [target, more, isFollowed]] of rows.entries()) {
    const path = link(`theirs/l${index}`, target, NOBODY);
    const resolve = (): unknown => resolveLinks(path + more);
    if (isFollowed) assert.doesNotThrow(resolve, `${target}${more}`);
    else
      assert.throws(resolve, /belongs to another user \(uid 65534\) and leads to what that user does not own/, target);
    const reading = resolveLinksAsync(path + more).then(
      () => true,
      (error: unknown) => !(error instanceof ForeignLinkError),
    );
    assert.equal(await reading, isFollowed, `${target}${more}`);
    // Links of root, and any link for another user than root, are not restricted.
    assert.doesNotThrow(() => resolveLinks(path + more, NOBODY + 1), target);
    lchownSync(path, 0, 0);
    assert.doesNotThrow(resolve, target);
  }
});

test('a directory that is replaced after the check is noticed', { skip: needsRoot }, async () => {
  const raced = directoryOf('raced');
  mkdirSync(`${raced}/logs`);
  writeFileSync(`${raced}/logs/target`, 'log');
  const trusted = await trustedPath(`${raced}/logs/target`, constants.O_RDONLY);
  const right = openTrusted(`${raced}/logs/target`, constants.O_RDONLY);
  trusted.confirm(right);
  renameSync(`${raced}/logs`, `${raced}/away`);
  link('raced/logs', '../plain', NOBODY);
  const wrong = openTrusted(place('plain/target'), constants.O_RDONLY);
  assert.throws(() => trusted.confirm(wrong), /another user has replaced a directory of .* so that it led to/);
  // A log that its owner has removed is still the right file.
  rmSync(`${raced}/away/target`);
  renameSync(`${raced}/logs`, `${raced}/link`);
  renameSync(`${raced}/away`, `${raced}/logs`);
  trusted.confirm(right);
  for (const fd of [right, wrong]) closeSync(fd);
  await assert.rejects(openToRead(`${raced}/link/target`, constants.O_RDONLY), ForeignLinkError);
});

/** Replaces the directory `d` by the link `l` and back, until it is told to stop. */
const SWAPPER = `
const { renameSync } = require('node:fs');
const { workerData, parentPort } = require('node:worker_threads');
const stop = new Int32Array(workerData.stop);
const at = (name) => workerData.folder + '/' + name;
while (Atomics.load(stop, 0) === 0) {
  renameSync(at('d'), at('d.real'));
  renameSync(at('l'), at('d'));
  renameSync(at('d'), at('l'));
  renameSync(at('d.real'), at('d'));
}
parentPort.postMessage('over');
`;

test('no race of the owner of a directory makes root cut or write a file elsewhere', { skip: needsRoot }, async () => {
  const folderOfUser = directoryOf('race');
  mkdirSync(place('race/d'));
  mkdirSync(place('goal'));
  writeFileSync(place('goal/pid'), 'precious');
  link('race/l', '../goal', NOBODY);
  const stop = new SharedArrayBuffer(4);
  const worker = new Worker(SWAPPER, { eval: true, workerData: { folder: folderOfUser, stop } });
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;
  const counts = { opened: 0, refused: 0, noticed: 0 };
  const until = Date.now() + 20_000;
  while ((counts.noticed < 3 || counts.opened < 3) && Date.now() < until) {
    try {
      const fd = openTrusted(`${folderOfUser}/d/pid`, flags, 0o600);
      writeFileSync(fd, 'x');
      closeSync(fd);
      counts.opened += 1;
    } catch (error) {
      if (!(error instanceof ForeignLinkError)) continue; // The path does not exist for a moment.
      counts[/has replaced a directory/.test(error.message) ? 'noticed' : 'refused'] += 1;
    }
  }
  Atomics.store(new Int32Array(stop), 0, 1);
  await worker.terminate();
  assert.equal(readFileSync(place('goal/pid'), 'utf8'), 'precious', JSON.stringify(counts));
  assert.ok(counts.noticed > 0 && counts.opened > 0, JSON.stringify(counts));
});
