/** Links of other users in a sticky directory are not followed, whatever the machine's fs.protected_symlinks. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  ForeignLinkError,
  openTrusted,
  resolveLinks,
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
    assert.deepEqual(resolveLinks(`${folder}/${path}`), { path: place(resolved), isFollowed: false }, path);
    assert.deepEqual(await resolveLinksAsync(`${folder}/${path}`), { path: place(resolved), isFollowed: false }, path);
  }
  assert.equal(resolveLinks('x').path, join(process.cwd(), 'x'));
  assert.equal(readFileSync((await trustedPath(place('sticky/ours'), 0)).path, 'utf8'), 'target');
});

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
