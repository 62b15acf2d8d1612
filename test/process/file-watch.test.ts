/** The watch of files, on real directories: links, replaced directories, noise, limits. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../src/process/clock.ts';
import { FileWatch } from '../../src/watch/file-watch.ts';
import { until } from '../e2e/observe.ts';

interface Watched {
  readonly folder: string;
  /** Reported changes, relative to the folder, in the order of the reports. */
  readonly changes: string[][];
  readonly problems: string[];
  /** Number of looks. */
  readonly looks: () => number;
  readonly files: number;
  readonly write: (path: string, text: string) => Promise<void>;
}

/** Watches patterns in a new folder that has some files. `links`: path → target. */
async function watchFolder(
  t: TestContext,
  patterns: readonly string[],
  content: { readonly files?: readonly string[]; readonly links?: Readonly<Record<string, string>> },
): Promise<Watched> {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-watch-'));
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  for (const path of content.files ?? []) await write(path, 'first');
  for (const [path, target] of Object.entries(content.links ?? {})) await symlink(target, join(folder, path));
  const changes: string[][] = [];
  const problems: string[] = [];
  let looks = 0;
  let last: Promise<void> = Promise.resolve();
  const begun = Promise.withResolvers<number>();
  const watch = new FileWatch({
    patterns: patterns.map((pattern) => join(folder, pattern)),
    isIgnored: (path) => path.endsWith('.log'),
    clock: systemClock,
    inTurn: (look) => {
      looks++;
      return (last = last.then(look));
    },
    begun: begun.resolve,
    changed: (paths) => changes.push(paths.map((path) => path.slice(folder.length + 1))),
    problem: (text) => {
      problems.push(text.replaceAll(folder, ''));
      begun.resolve(-1);
    },
  });
  t.after(async () => {
    watch.close();
    await last;
    await rm(folder, { recursive: true });
  });
  return { folder, changes, problems, looks: () => looks, files: await begun.promise, write };
}

const reported = (watched: Watched, count: number): Promise<unknown> =>
  until(`${count} changes are reported`, () => watched.changes.length >= count);

test('files that change, appear and vanish are reported; others are not', async (t) => {
  const watched = await watchFolder(t, ['app/**/*.py'], { files: ['app/a.py', 'app/sub/b.py', 'app/c.txt'] });
  assert.equal(watched.files, 2);
  await watched.write('app/a.py', 'second');
  await reported(watched, 1);
  await watched.write('app/new/deep/d.py', 'first');
  await reported(watched, 2);
  await watched.write('app/c.txt', 'second');
  await watched.write('app/.hidden/x.py', 'first');
  await watched.write('app/node_modules/x.py', 'first');
  await rm(join(watched.folder, 'app/sub'), { recursive: true });
  await reported(watched, 3);
  assert.deepEqual(watched.changes, [['app/a.py'], ['app/new/deep/d.py'], ['app/sub/b.py']]);
});

test('a ConfigMap: the link ..data is replaced, and the old directory is removed', async (t) => {
  const watched = await watchFolder(t, ['etc/web.conf'], {
    files: ['etc/..2024/web.conf'],
    links: { 'etc/..data': '..2024', 'etc/web.conf': '..data/web.conf' },
  });
  for (const year of [2025, 2026]) {
    await watched.write(`etc/..${year}/web.conf`, 'another');
    await symlink(`..${year}`, join(watched.folder, 'etc/..new'));
    await rename(join(watched.folder, 'etc/..new'), join(watched.folder, 'etc/..data'));
    await rm(join(watched.folder, `etc/..${year - 1}`), { recursive: true });
    await reported(watched, year - 2024);
  }
  assert.deepEqual(watched.changes, [['etc/web.conf'], ['etc/web.conf']]);
});

test('a chain of links in other directories, and a file that is written at its end', async (t) => {
  const watched = await watchFolder(t, ['etc/web.conf'], {
    files: ['etc/empty', 'srv/releases/1/web.conf', 'srv/releases/2/web.conf'],
    links: { 'srv/current': 'releases/1', 'etc/web.conf': '../srv/current/web.conf' },
  });
  await symlink('releases/2', join(watched.folder, 'srv/next'));
  await rename(join(watched.folder, 'srv/next'), join(watched.folder, 'srv/current'));
  await reported(watched, 1);
  await watched.write('srv/releases/2/web.conf', 'in place');
  await reported(watched, 2);
  assert.deepEqual(watched.changes, [['etc/web.conf'], ['etc/web.conf']]);
});

test('a directory that is not there yet, and one that is replaced by another', async (t) => {
  const watched = await watchFolder(t, ['app/conf'], {});
  assert.equal(watched.files, 0);
  await watched.write('app/conf/a', 'first');
  await reported(watched, 1);
  await watched.write('other/conf/a', 'another');
  await rename(join(watched.folder, 'app'), join(watched.folder, 'old'));
  await rename(join(watched.folder, 'other'), join(watched.folder, 'app'));
  await reported(watched, 2);
  await watched.write('app/conf/a', 'once more');
  await reported(watched, 3);
  assert.deepEqual(watched.changes, [['app/conf/a'], ['app/conf/a'], ['app/conf/a']]);
});

test('many changes at once are one report, and a busy log costs few looks', async (t) => {
  const names = Array.from({ length: 300 }, (_, index) => `app/${index}.py`);
  const watched = await watchFolder(t, ['app/*'], { files: ['app/a.py'] });
  await Promise.all(names.map((name) => watched.write(name, 'first')));
  await reported(watched, 1);
  assert.deepEqual(watched.changes.flat().toSorted(), names.toSorted());
  assert.ok(watched.changes.length <= 2, `${watched.changes.length} reports`);
  const before = watched.looks();
  let writes = 0;
  while (watched.looks() < before + 4) {
    await watched.write('app/web.log', `line ${writes++}`);
    await new Promise(setImmediate);
  }
  assert.ok(writes > 20, `${writes} writes led to 4 looks`);
  assert.equal(watched.changes.flat().length, names.length);
});

test('patterns that reach too far are refused with the limit', async (t) => {
  const files = Array.from({ length: 4100 }, (_, index) => `app/${index}/a`);
  const watched = await watchFolder(t, ['app/**'], { files });
  assert.deepEqual(watched.problems, ['cannot watch /app/**: more than 4096 directories']);
});

test('links that go round are no trouble', async (t) => {
  const watched = await watchFolder(t, ['app/**', 'loop/*/x'], {
    files: ['app/a', 'loop/empty'],
    links: { 'app/up': '..', 'app/self': 'self', 'loop/loop': '.' },
  });
  await watched.write('app/a', 'second');
  await reported(watched, 1);
  assert.deepEqual([watched.changes, watched.problems], [[['app/a']], []]);
});
