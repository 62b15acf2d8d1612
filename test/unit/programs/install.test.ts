/** `onevisor install DIR`: the links, what it refuses, and that a refusal changes nothing. */
import assert from 'node:assert/strict';
import {
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { runInstall } from '../../../src/programs/install.ts';
import { LINK_NAMES } from '../../../src/startup/choose-program.ts';

/** An empty folder with `opt/onevisor` in it. */
function prepare(t: TestContext): { root: string; executable: string } {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'onevisor-install-')));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'opt'));
  const executable = join(root, 'opt', 'onevisor');
  writeFileSync(executable, 'the executable');
  return { root, executable };
}

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function install(executable: string, ...args: string[]): Ended {
  return installMeanwhile(executable, () => undefined, ...args);
}

/** Calls `meanwhile` after each line of output, and so between two links. */
function installMeanwhile(executable: string, meanwhile: () => void, ...args: string[]): Ended {
  const said = { out: '', err: '' };
  const io = {
    out: (text: string) => {
      said.out += text;
      meanwhile();
    },
    err: (text: string) => void (said.err += text),
    executable,
  };
  return { code: runInstall(args, io), ...said };
}

function linksIn(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder)
      .filter((name) => lstatSync(join(folder, name)).isSymbolicLink())
      .map((name) => [name, readlinkSync(join(folder, name))]),
  );
}

/** All links, leading to `target`. */
function allTo(target: string): Record<string, string> {
  return Object.fromEntries(LINK_NAMES.toSorted().map((name) => [name, target]));
}

test('beside the executable, the links hold its name; a second time, nothing is left to do', (t) => {
  const { root, executable } = prepare(t);
  const folder = join(root, 'opt');
  const { code, out, err } = install(executable, folder);
  assert.deepEqual([code, err], [0, '']);
  assert.equal(out, LINK_NAMES.map((name) => `${folder}/${name} -> onevisor\n`).join(''));
  assert.deepEqual(linksIn(folder), allTo('onevisor'));
  const again = install(executable, folder);
  assert.deepEqual(again, { code: 0, out: LINK_NAMES.map((name) => `${folder}/${name} is there\n`).join(''), err: '' });
});

test('in another folder, the links are relative from its real path, and the folder is made', (t) => {
  const { root, executable } = prepare(t);
  assert.equal(install(executable, join(root, 'usr', 'local', 'bin')).code, 0);
  assert.deepEqual(linksIn(join(root, 'usr', 'local', 'bin')), allTo('../../../opt/onevisor'));
  mkdirSync(join(root, 'usr', 'bin'));
  symlinkSync('usr/bin', join(root, 'bin'));
  assert.equal(install(executable, join(root, 'bin')).code, 0);
  assert.deepEqual(linksIn(join(root, 'usr', 'bin')), allTo('../../opt/onevisor'));
  assert.equal(readFileSync(join(root, 'bin', 'supervisorctl'), 'utf8'), 'the executable');
});

test('a folder that has an onevisor of its own, as the root of another image, gets links to that', (t) => {
  const { root, executable } = prepare(t);
  const folder = join(root, 'image', 'bin');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'onevisor'), 'for another processor');
  assert.equal(install(executable, folder).code, 0);
  assert.deepEqual(linksIn(folder), allTo('onevisor'));
});

test('other files are named, all at once, and nothing is changed; --force replaces them', (t) => {
  const { root, executable } = prepare(t);
  const folder = join(root, 'opt');
  writeFileSync(join(folder, 'supervisord'), "Supervisor's");
  symlinkSync('/usr/bin/py\nthon', join(folder, 'pidproxy'));
  const refused = install(executable, folder);
  assert.deepEqual([refused.code, refused.out], [1, '']);
  assert.equal(
    refused.err,
    `Error: cannot make the link ${folder}/supervisord: it is another file; --force replaces it\n` +
      `Error: cannot make the link ${folder}/pidproxy: it is a link to /usr/bin/py\\nthon; --force replaces it\n`,
  );
  assert.deepEqual(linksIn(folder), { pidproxy: '/usr/bin/py\nthon' });
  const forced = install(executable, '--force', folder);
  assert.deepEqual([forced.code, forced.err], [0, '']);
  assert.deepEqual(linksIn(folder), allTo('onevisor'));
  assert.deepEqual(readdirSync(folder).toSorted(), ['onevisor', ...LINK_NAMES].toSorted(), 'no temporary file is left');
});

test('a directory is not replaced, and --force after DIR is understood', (t) => {
  const { root, executable } = prepare(t);
  const folder = join(root, 'opt');
  mkdirSync(join(folder, 'supervisorctl'));
  const { code, err } = install(executable, folder, '--force');
  assert.equal(code, 1);
  assert.equal(err, `Error: cannot make the link ${folder}/supervisorctl: it is a directory; remove it first\n`);
  assert.deepEqual(linksIn(folder), {});
});

test('whatever leads to the executable is right: another link, a hard link, the executable itself', (t) => {
  const { root } = prepare(t);
  const folder = join(root, 'bin');
  mkdirSync(folder);
  const executable = join(folder, 'supervisord');
  writeFileSync(executable, 'the executable');
  symlinkSync(executable, join(folder, 'supervisorctl'));
  linkSync(executable, join(folder, 'pidproxy'));
  for (const args of [[folder], [folder, '--force']]) assert.equal(install(executable, ...args).code, 0);
  assert.equal(readFileSync(executable, 'utf8'), 'the executable');
  assert.deepEqual(linksIn(folder), { echo_supervisord_conf: 'supervisord', supervisorctl: executable });
});

test('a link to nothing, or to itself, is another file', (t) => {
  const { root, executable } = prepare(t);
  const folder = join(root, 'bin');
  mkdirSync(folder);
  symlinkSync('gone', join(folder, 'supervisord'));
  symlinkSync('pidproxy', join(folder, 'pidproxy'));
  const { code, err } = install(executable, folder);
  assert.equal(code, 1);
  assert.match(err, /supervisord: it is a link to gone; [^]*pidproxy: it is a link to pidproxy;/);
});

test('arguments: a file is no directory, and one folder is needed', (t) => {
  const { executable } = prepare(t);
  const file = install(executable, executable);
  assert.deepEqual(file, {
    code: 1,
    out: '',
    err: `Error: cannot install into ${executable}: it is not a directory\n`,
  });
  const inside = install(executable, join(executable, 'bin'));
  assert.match(inside.err, /^Error: cannot install into .*\/bin: not a directory \(ENOTDIR\)\n$/);
  const rows: Array<[args: string[], said: RegExp]> = [
    [[], /^Error: install takes one directory\n.*onevisor install -h\n$/],
    [[''], /^Error: install takes one directory\n/],
    [['a', 'b'], /^Error: install takes one directory\n/],
    [['-f', 'a'], /^Error: install takes no option -f\n/],
  ];
  for (const [args, said] of rows) {
    const { code, out, err } = install(executable, ...args);
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, said);
  }
  const help = install(executable, '--help');
  assert.deepEqual([help.code, help.err], [0, '']);
  assert.match(help.out, /^Usage: onevisor install \[--force\] DIR\n/);
});

test('a link that another install makes at the same moment is right; any other file is an error', (t) => {
  const { root, executable } = prepare(t);
  const folder = join(root, 'bin');
  const other = installMeanwhile(executable, () => void install(executable, folder), folder);
  assert.deepEqual([other.code, other.err], [0, '']);
  assert.deepEqual(linksIn(folder), allTo('../opt/onevisor'));

  const second = join(root, 'second');
  const block = (): void => writeFileSync(join(second, 'pidproxy'), 'mine');
  const blocked = installMeanwhile(executable, block, second);
  assert.equal(blocked.code, 1);
  assert.equal(blocked.err, `Error: cannot install into ${second}: file already exists (EEXIST)\n`);
  assert.equal(readFileSync(join(second, 'pidproxy'), 'utf8'), 'mine');
});
