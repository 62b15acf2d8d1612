/**
 * Another user replaces a new socket before it gets its owner and mode, in a directory that belongs to that user. No
 * file of root may be given away: no target of a link, no log of root, and no other socket, such as that of the
 * supervisor.
 */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ListenError } from '../../src/http/listen-error.ts';
import { listenUnix } from '../../src/http/unix-socket.ts';
import { loadAddon } from '../../src/native/load.ts';
import { type ListenRequest, ListeningSocketError, openListeningSocket } from '../../src/process/listening-socket.ts';

const NOBODY = 65_534;
const owner = { uid: NOBODY, gid: NOBODY };
const MODE = 0o666;
/** Linux's O_PATH, which Node does not name. */
const O_PATH = 0o10000000;
const skip = process.getuid?.() === 0 ? false : 'only root can give a socket away';
const addon = loadAddon();
const root = realpathSync(mkdtempSync(join(tmpdir(), 'onevisor-replaced-')));
after(() => rmSync(root, { recursive: true }));
chmodSync(root, 0o755);
let count = 0;

/** A directory of another user, and what belongs to root. */
interface Scene {
  readonly folder: string;
  /** Descriptors (O_PATH) of files of root, which are checked at the end, wherever they are by then. */
  readonly kept: Map<string, number>;
}

/** Makes a directory of the other user. */
function makeScene(): Scene {
  count += 1;
  const folder = join(root, `theirs${count}`);
  mkdirSync(folder);
  chownSync(folder, NOBODY, NOBODY);
  const kept = new Map<string, number>();
  after(() => kept.forEach((fd) => closeSync(fd)));
  return { folder, kept };
}

function keep({ kept }: Scene, path: string): void {
  kept.set(path, openSync(path, O_PATH | constants.O_NOFOLLOW));
}

/** Makes a socket of root that is not ours to give away, such as the one that controls a supervisor. */
function makeSocket(scene: Scene, path: string): void {
  const socket = openListeningSocket(
    addon,
    { address: { kind: 'unix', path }, backlog: 1, mode: 0o700, owner: null, replaces: 'stale' },
    assert.fail,
  );
  keep(scene, path);
  socket.release();
}

function makeFile(scene: Scene, path: string): void {
  writeFileSync(path, 'precious', { mode: 0o600 });
  keep(scene, path);
}

/** Puts something in the place of the new socket, as the other user can. */
type Attack = (scene: Scene, place: string) => void;

const ATTACKS: ReadonlyArray<readonly [title: string, prepare: (scene: Scene) => void, attack: Attack]> = [
  [
    'a link to a file of root',
    (scene) => makeFile(scene, `${scene.folder}.secret`),
    ({ folder }, place) => {
      symlinkSync(`${folder}.secret`, place);
      lchownSync(place, NOBODY, NOBODY);
    },
  ],
  [
    'a log of root that was beside it',
    (scene) => makeFile(scene, join(scene.folder, 'log')),
    ({ folder }, place) => renameSync(join(folder, 'log'), place),
  ],
  [
    // Without fs.protected_hardlinks, as in some containers.
    'another name of a file of root',
    (scene) => makeFile(scene, `${scene.folder}.secret`),
    ({ folder }, place) => linkSync(`${folder}.secret`, place),
  ],
  [
    'the socket of the supervisor that was beside it',
    (scene) => makeSocket(scene, join(scene.folder, 'supervisor.sock')),
    ({ folder }, place) => renameSync(join(folder, 'supervisor.sock'), place),
  ],
];

/** Puts something in the place of a socket. If its directory is private, the directory is replaced. */
function replaceSocket(scene: Scene, path: string, attack: Attack): void {
  if (dirname(path) === scene.folder) renameSync(path, join(scene.folder, 'away'));
  else {
    renameSync(dirname(path), join(scene.folder, 'away'));
    mkdirSync(dirname(path));
    chownSync(dirname(path), NOBODY, NOBODY);
  }
  attack(scene, path);
}

function assertKept({ kept }: Scene, title: string): void {
  for (const [path, fd] of kept) {
    const { uid, gid, mode } = fstatSync(fd);
    assert.deepEqual([uid, gid, mode & 0o077], [0, 0, 0], `${title}: ${path} was given away`);
  }
}

/** Opens the socket of a program and closes it. Returns the reason if it is refused. */
function openAndClose(sockets: typeof addon, request: Partial<ListenRequest> & Pick<ListenRequest, 'address'>): string {
  try {
    const more = { backlog: 1, mode: MODE, owner, replaces: 'stale', ...request } as const;
    openListeningSocket(sockets, more, () => undefined).close();
    return 'opened';
  } catch (error) {
    assert.ok(error instanceof ListeningSocketError, String(error));
    return error.message;
  }
}

/** Returns an addon that calls `attack` with the path of each new socket, before anything else can happen. */
function attackedAddon(attack: (path: string) => void): typeof addon {
  return {
    ...addon,
    listenUnix: (path: string, backlog: number, mode: number) => {
      const fd = addon.listenUnix(path, backlog, mode);
      attack(path);
      return fd;
    },
  };
}

describe('the socket of a program', { skip }, () => {
  for (const replaces of ['any', 'stale'] as const)
    for (const [title, prepare, attack] of ATTACKS) {
      test(`${title}, before the new socket is opened, with replaces=${replaces}`, () => {
        const scene = makeScene();
        prepare(scene);
        const address = { kind: 'unix', path: join(scene.folder, 's.sock') } as const;
        const attacked = attackedAddon((path) => replaceSocket(scene, path, attack));
        assert.equal(openAndClose(attacked, { address, replaces }), 'another user has replaced the new socket');
        assertKept(scene, title);
      });

      test(`${title}, just before the change of the owner, with replaces=${replaces}`, () => {
        const scene = makeScene();
        prepare(scene);
        const address = { kind: 'unix', path: join(scene.folder, 's.sock') } as const;
        let made = '';
        const attacked = attackedAddon((path) => (made = path));
        let attacks = 0;
        // The ids are read after the check of the file.
        const lateOwner = {
          gid: NOBODY,
          get uid(): number {
            attacks += 1;
            replaceSocket(scene, made, attack);
            return NOBODY;
          },
        };
        openAndClose(attacked, { address, replaces, owner: lateOwner });
        assert.equal(attacks, 1);
        assertKept(scene, title);
      });
    }

  test('a directory on the way that leads to a socket of root', () => {
    const scene = makeScene();
    mkdirSync(join(scene.folder, 'run'));
    chownSync(join(scene.folder, 'run'), NOBODY, NOBODY);
    mkdirSync(`${scene.folder}.root`);
    makeSocket(scene, join(`${scene.folder}.root`, 's.sock'));
    const attacked = attackedAddon(() => {
      renameSync(join(scene.folder, 'run'), join(scene.folder, 'away'));
      symlinkSync(`${scene.folder}.root`, join(scene.folder, 'run'));
    });
    const address = { kind: 'unix', path: join(scene.folder, 'run/s.sock') } as const;
    assert.equal(openAndClose(attacked, { address }), 'another user has replaced the new socket');
    assertKept(scene, 'a directory');
  });

  test('without an attack, it has its owner and mode', () => {
    for (const replaces of ['any', 'stale'] as const) {
      const { folder } = makeScene();
      const path = join(folder, 's.sock');
      const request = { address: { kind: 'unix', path }, backlog: 1, mode: MODE, owner, replaces } as const;
      const socket = openListeningSocket(addon, request, assert.fail);
      const { uid, gid, mode } = lstatSync(path);
      assert.deepEqual([uid, gid, mode & 0o777], [NOBODY, NOBODY, MODE]);
      assert.deepEqual(readdirSync(folder), ['s.sock']);
      socket.close();
      assert.deepEqual(readdirSync(folder), []);
    }
  });
});

/**
 * The attack comes at each turn of the loop, from the making of the private directory on, until so many attacks have
 * come too late.
 */
const LATE_ATTACKS = 5;
/** On a busy machine, the loop turns more often while a system call is under way. */
const MOST_TURNS = 500;

/** Calls `attack` some turns of the loop after the private directory has appeared. Returns the end of this. */
function attackLater({ folder }: Scene, turns: number, attack: (directory: string) => void): () => void {
  let left = turns;
  let isOver = false;
  const step = (): void => {
    if (isOver) return;
    const name = readdirSync(folder).find((one) => one.startsWith('.'));
    if (name !== undefined && left === 0) {
      attack(join(folder, name));
      return;
    }
    if (name !== undefined) left -= 1;
    setImmediate(step);
  };
  step();
  return () => {
    isOver = true;
  };
}

describe('the socket of a server', { skip }, () => {
  for (const [title, prepare, attack] of ATTACKS)
    test(`${title}, at any turn of the loop`, async (t) => {
      const counts = { attacks: 0, late: 0, opened: 0, refused: 0 };
      for (let turn = 0; turn < MOST_TURNS && counts.late < LATE_ATTACKS; turn += 1) {
        const before = counts.attacks;
        const scene = makeScene();
        prepare(scene);
        const server = new Server();
        const end = attackLater(scene, turn, (directory) => {
          counts.attacks += 1;
          replaceSocket(scene, join(directory, 's'), attack);
        });
        const path = join(scene.folder, 's.sock');
        try {
          await listenUnix(server, { path, mode: MODE, owner }, () => undefined);
          counts.opened += 1;
          const { uid, gid, mode } = lstatSync(path);
          assert.deepEqual([uid, gid, mode & 0o777], [NOBODY, NOBODY, MODE]);
        } catch (error) {
          if (!(error instanceof ListenError)) throw error;
          counts.refused += 1;
        } finally {
          end();
          server.close();
        }
        if (counts.attacks === before) counts.late += 1;
        assertKept(scene, `${title}, turn ${turn}`);
      }
      t.diagnostic(JSON.stringify(counts));
      assert.ok(counts.attacks >= LATE_ATTACKS, 'the attacks came too late');
    });
});
