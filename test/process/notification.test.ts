/**
 * Readiness on real pipes and sockets: messages of a program arrive, those of other processes do not, and nothing is
 * left open.
 */
import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../src/process/clock.ts';
import {
  type ChannelTarget,
  type Notice,
  NotificationChannels,
  type Opening,
} from '../../src/process/notification-channels.ts';
import { NotificationSocket, type SocketNatives, type SocketNotice } from '../../src/process/notification-socket.ts';
import { SpawnError } from '../../src/process/spawn-error.ts';
import { FakeClock } from '../engine/world.ts';
import { addon, ending, everything, openDescriptors, rootSkip, run, shell } from './programs.ts';
import type { SpawnRequest } from '../../src/native/addon.ts';

const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const NOBODY = 65_534;

/** Channels that record all notices. */
class Scene {
  readonly channels = new NotificationChannels({ addon, clock: systemClock, self: () => self });
  readonly notices: string[] = [];
  #look: () => void = () => undefined;

  constructor() {
    this.channels.listen((id, number, notice) => {
      this.notices.push(`${id} ${number} ${format(notice)}`);
      this.#look();
    });
  }

  open(options: Partial<ChannelTarget['options']>, number = 1): Opening {
    const target: ChannelTarget = {
      name: 'web',
      options: { user: null, strict_user: false, notification_fd: null, notify: null, watchdog_sec: null, ...options },
    };
    return this.channels.open('g:web', target, number);
  }

  /** Resolves after this number of notices. A watched descriptor does not keep the loop alive. */
  async come(count: number): Promise<string[]> {
    const hold = setInterval(() => undefined, 2 ** 30);
    await new Promise<void>((resolve) => {
      this.#look = () => {
        if (this.notices.length >= count) resolve();
      };
      this.#look();
    });
    clearInterval(hold);
    return this.notices;
  }
}

function format(notice: Notice): string {
  const { kind, ...rest } = notice;
  return [
    kind,
    ...Object.entries(rest)
      .filter(([name]) => name !== 'pid')
      .map(([, value]) => String(value)),
  ].join(' ');
}

/** Creates a Python program with the channel. `say(text, fds)` sends to the socket. */
function python(
  script: string,
  { environment, descriptors }: Pick<Opening, 'environment' | 'descriptors'>,
  changes: Partial<SpawnRequest> = {},
): SpawnRequest {
  const prelude = [
    'import array, os, socket, sys, time',
    'def say(text, fds=(), s=None):',
    '    s = s or socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)',
    '    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []',
    '    s.sendmsg([text if isinstance(text, bytes) else text.encode()], rights, 0, "\\0" + ' +
      'os.environ["NOTIFY_SOCKET"][1:])',
  ].join('\n');
  return shell('', {
    file: '/usr/bin/python3',
    argv: ['python3', '-c', `${prelude}\n${script}`],
    env: ['PATH=/usr/bin:/bin', ...[...environment].map(([name, value]) => `${name}=${value}`)],
    descriptors,
    ...changes,
  });
}

/** Runs a program with a channel to its end, as the spawn of a run does. */
async function runOn(opening: Opening, script: string, changes: Partial<SpawnRequest> = {}): Promise<string> {
  const spawned = addon.spawn({ ...python(script, opening, changes), stdin: 'null' });
  opening.started(spawned.pid);
  const [out, err] = await Promise.all([everything(spawned.stdout), everything(spawned.stderr), ending(spawned.pid)]);
  return out + err;
}

// Node's sockets keep their descriptors until the next turn of the loop.
const atStart = openDescriptors().length;
after(async () => {
  await delay(0);
  assert.equal(openDescriptors().length, atStart, 'descriptors are left open');
});

describe('notification_fd', () => {
  test('a line means ready, once; everything after it is read and dropped', async () => {
    const scene = new Scene();
    assert.equal(
      await runOn(
        scene.open({ notification_fd: 5 }),
        'os.write(5, b"rea"); time.sleep(.05); os.write(5, b"dy\\nmore\\n"); os.write(5, b"x" * 30000); os.close(5)',
      ),
      '',
    );
    assert.deepEqual(await scene.come(1), ['g:web 1 ready']);
    scene.channels.closeAll();
    assert.equal(scene.notices.length, 1);
  });

  test('a closed pipe without a line is not ready', async () => {
    const scene = new Scene();
    await runOn(scene.open({ notification_fd: 3 }), 'os.write(3, b"ready")');
    assert.deepEqual(await scene.come(1), ['g:web 1 closed']);
    scene.channels.closeAll();
  });

  test('a program that floods it gets EPIPE and is not ready; after a line the same', async () => {
    for (const [line, told] of [
      ['', 'flooded'],
      ['\\n', 'ready'],
    ] as const) {
      const scene = new Scene();
      const said = await runOn(
        scene.open({ notification_fd: 3 }),
        `os.write(3, b"${line}")\ntry:\n    while True: os.write(3, b"x" * 4096)\nexcept BrokenPipeError: ` +
          `print("EPIPE")`,
      );
      assert.equal(said, 'EPIPE\n');
      assert.deepEqual(await scene.come(1), [`g:web 1 ${told}`]);
      scene.channels.closeAll();
    }
  });

  test('the end of a run closes it, even if another process has it open; the next run has its own', async () => {
    const scene = new Scene();
    const first = scene.open({ notification_fd: 3 });
    const { pid, stdin, stdout, stderr } = addon.spawn(
      python('sys.stdin.read()\ntry: os.write(3, b"\\n")\nexcept BrokenPipeError: print("EPIPE")', first),
    );
    first.started(pid);
    assert.equal(await runOn(scene.open({ notification_fd: 3 }, 2), 'os.write(3, b"\\n")'), '');
    assert.deepEqual(await scene.come(1), ['g:web 2 ready']);
    closeSync(stdin ?? -1);
    assert.deepEqual(await Promise.all([everything(stdout), everything(stderr), ending(pid)]), [
      'EPIPE\n',
      '',
      { kind: 'exited', code: 0 },
    ]);
    assert.equal(scene.notices.length, 1);
    scene.channels.closeAll();
  });

  test('another user can open it by name', { skip: rootSkip }, async () => {
    const scene = new Scene();
    const opening = scene.open({ notification_fd: 3, user: { user: 'nobody', group: null } });
    assert.equal(
      await runOn(opening, 'open("/dev/fd/3", "w").write("\\n")', { uid: NOBODY, gid: NOBODY, groups: [NOBODY] }),
      '',
    );
    assert.deepEqual(await scene.come(1), ['g:web 1 ready']);
    scene.channels.closeAll();
  });
});

describe('notify=sd', () => {
  test('messages of the program, and of its short-lived children, arrive in order', async () => {
    const scene = new Scene();
    const opening = scene.open({ notify: 'sd', watchdog_sec: 2.5 });
    assert.match(opening.environment.get('NOTIFY_SOCKET') ?? '', /^@onevisor\/[0-9a-f]{32}$/);
    assert.equal(opening.environment.get('WATCHDOG_USEC'), '2500000');
    const said = await runOn(
      opening,
      'say("STATUS=one")\npid = os.fork()\nif pid == 0:\n    say("STATUS=two\\nREADY=1")\n    ' +
        'os._exit(0)\nos.waitpid(pid, 0)\nsay(b"STATUS=\\xff\\n")\nsay("WATCHDOG=1")',
    );
    assert.equal(said, '');
    assert.deepEqual(
      await scene.come(5),
      ['status one', 'status two', 'ready', 'status \uFFFD', 'alive'].map((text) => `g:web 1 ${text}`),
    );
    scene.channels.closeAll();
  });

  test('there are no notices of a run that has ended, and its socket is closed', async () => {
    const scene = new Scene();
    const { environment } = scene.open({ notify: 'sd' });
    scene.open({ notify: 'sd' }, 2);
    assert.match(
      (await run(python('say("READY=1")', { environment, descriptors: [] }))).stderr,
      /ConnectionRefusedError/,
    );
    scene.channels.close('g:web');
    assert.deepEqual(scene.notices, []);
  });

  test('descriptors that are passed are closed at once, which a barrier waits for', async () => {
    const scene = new Scene();
    const before = openDescriptors().length;
    const opening = scene.open({ notify: 'sd' });
    const said = await runOn(
      opening,
      'r, w = os.pipe()\nsay("READY=1")\nsay("BARRIER=1", [w])\nos.close(w)\nassert os.read(r, 1) == ' +
        'b""\nsay("FDSTORE=1\\nSTATUS=many", [0] * 200)\nprint("ok")',
    );
    assert.equal(said, 'ok\n');
    assert.deepEqual(await scene.come(3), ['g:web 1 ready', 'g:web 1 unsupported FDSTORE', 'g:web 1 status many']);
    scene.channels.closeAll();
    await delay(0);
    assert.equal(openDescriptors().length, before);
  });

  test(
    'messages of another user are refused; those of root, our user and the program itself are accepted',
    { skip: rootSkip },
    async () => {
      const scene = new Scene();
      const opening = scene.open({ notify: 'sd', user: { user: 'nobody', group: null } });
      const script =
        'def child(uid, text):\n    if os.fork() == 0:\n        os.setuid(uid)\n        say(text)\n        ' +
        'os._exit(0)\n    os.wait()\nchild(0, "STATUS=root")\nchild(12345, "READY=1")\nchild(65534, ' +
        '"STATUS=own")\nos.setuid(12346)\nsay("STATUS=itself")';
      assert.equal(await runOn(opening, script), '');
      assert.deepEqual(
        await scene.come(4),
        ['status root', 'refused user 12345', 'status own', 'status itself'].map((text) => `g:web 1 ${text}`),
      );
      scene.channels.closeAll();
    },
  );

  test('a message that is too long or has a NUL is refused', async () => {
    const scene = new Scene();
    await runOn(
      scene.open({ notify: 'sd' }),
      'say("READY=1\\n" + "x" * 4089)\nsay("READY=1\\0x")\nsay("STATUS=" + "x" * 10 + "\\n" + "y" * 4078)',
    );
    const [long, odd, full] = await scene.come(3);
    assert.deepEqual(
      [long, odd, full],
      [`g:web 1 refused length ${self.uid}`, `g:web 1 refused form ${self.uid}`, 'g:web 1 status xxxxxxxxxx'],
    );
    scene.channels.closeAll();
  });

  test('a program that floods waits in its own send, and the loop continues', async () => {
    const scene = new Scene();
    const opening = scene.open({ notify: 'sd' });
    const { pid, stdout, stderr } = addon.spawn({
      ...python('s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\nwhile True: say("STATUS=x", s=s)', opening),
      stdin: 'null',
    });
    opening.started(pid);
    await scene.come(1);
    const fromMs = performance.now();
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    turn();
    await scene.come(641);
    isOver = true;
    const tookMs = performance.now() - fromMs;
    addon.kill(pid, constants.signals.SIGKILL);
    await Promise.all([everything(stdout), everything(stderr), ending(pid)]);
    // After the first, at least ten windows of 64 datagrams were opened; each is 20 ms.
    assert.ok(tookMs >= 9 * 20 - 1, `${tookMs} ms`);
    assert.ok(turns > 100, `${turns} turns of the loop`);
    scene.channels.closeAll();
    const { length } = scene.notices;
    await delay(0);
    assert.equal(scene.notices.length, length);
  });

  test('many failed starts leave nothing open', async () => {
    const scene = new Scene();
    const before = openDescriptors().length;
    for (let number = 1; number <= 50; number++) {
      scene.open({ notify: 'sd' }, number).failed();
      scene.open({ notification_fd: 9 }, number).failed();
    }
    await delay(0);
    assert.equal(openDescriptors().length, before);
    assert.throws(() => scene.open({ notify: 'sd', user: { user: 'nobody-of-that-name', group: null } }), SpawnError);
    assert.equal(openDescriptors().length, before);
  });

  test('without a free descriptor, the start fails with a reason', async () => {
    const { pid, stdout } = addon.spawn(
      shell(`${process.execPath} --input-type=module -e '${LIMITED}'`, {
        directory: import.meta.dirname,
        stdin: 'null',
        stderr: 'stdout',
      }),
    );
    assert.equal(
      await everything(stdout),
      "pipe EMFILE cannot set up notify of 'web': EMFILE\n" +
        "pipe EMFILE cannot set up notification_fd of 'web': EMFILE\n",
    );
    await ending(pid);
  });
});

/** Runs in a process of its own, whose descriptors are all used. */
const LIMITED = `
import { openSync } from "node:fs";
import { NotificationChannels } from "../../src/process/notification-channels.ts";
import { loadAddon } from "../../src/native/load.ts";
const addon = loadAddon();
addon.setLimit({ resource: "nofile", soft: 64, hard: 64 });
const channels = new NotificationChannels({ addon, clock: null, self: () => ({ uid: 0, gid: 0 }) });
const options = { user: null, strict_user: false, notification_fd: null, notify: null, watchdog_sec: null };
const tries = [{ ...options, notify: "sd" }, { ...options, notification_fd: 3 }];
const said = [];
try { for (;;) openSync("/dev/null"); } catch {}
for (const changes of tries)
  try {
    channels.open("web", { name: "web", options: changes }, 1);
  } catch (error) {
    said.push([error.stage, error.code, error.message].join(" "));
  }
console.log(said.join("\\n"));
process.exit();
`;

/** A socket with simulated datagrams: each a text and its sender, or an errno. */
function fakeSocket(onTold: () => void = () => undefined): {
  socket: NotificationSocket;
  clock: FakeClock;
  told: SocketNotice[];
  queue: Array<{ text: string; pid: number; uid: number } | number>;
  ready: (errno: number) => void;
  isWatched: () => boolean;
  /** `refusal`: errno of the next watches; null for none. */
  scene: { refusal: number | null };
} {
  const clock = new FakeClock();
  const told: SocketNotice[] = [];
  const queue: Array<{ text: string; pid: number; uid: number } | number> = [];
  let watcher: ((errno: number) => void) | null = null;
  const natives: SocketNatives = {
    openDatagram: (name) => addon.openDatagram(name),
    receiveDatagram(_fd, target, out) {
      const next = queue.shift() ?? constants.errno.EAGAIN;
      if (typeof next === 'number') return next;
      out.set([Buffer.from(next.text).copy(target), next.pid, next.uid, 0]);
      return 0;
    },
    watchReadable(fd, ready) {
      if (scene.refusal !== null) throw Object.assign(new Error('epoll_ctl'), { errno: scene.refusal });
      watcher = (errno) => ready(errno, fd);
    },
    unwatchReadable: () => void (watcher = null),
  };
  const scene: { refusal: number | null } = { refusal: null };
  const socket = new NotificationSocket(natives, clock, new Set([0]), (notice) => {
    told.push(notice);
    onTold();
  });
  const ready = (errno: number): void => watcher?.(errno);
  return { socket, clock, told, queue, ready, isWatched: () => watcher !== null, scene };
}

describe('the socket itself', () => {
  test('a sender in another PID namespace is refused, whatever it claims', () => {
    const { socket, told, queue, ready } = fakeSocket();
    queue.push({ text: 'READY=1', pid: 0, uid: 0 });
    ready(0);
    assert.deepEqual(told, [{ kind: 'refused', why: 'namespace', pid: 0, uid: 0 }]);
    socket.close();
  });

  test('a socket that fails is closed and reports it', () => {
    for (const fail of [
      (scene: ReturnType<typeof fakeSocket>) => scene.ready(9),
      (scene: ReturnType<typeof fakeSocket>) => scene.ready(scene.queue.push(9) - 1),
    ]) {
      const before = openDescriptors().length;
      const scene = fakeSocket();
      fail(scene);
      assert.deepEqual(scene.told, [{ kind: 'socketFailed', errno: 9 }]);
      assert.ok(!scene.isWatched());
      assert.equal(openDescriptors().length, before);
      scene.socket.close();
    }
  });

  test('at most 64 datagrams are read in 20 ms; then the socket is watched again', () => {
    const { socket, clock, told, queue, ready, isWatched } = fakeSocket();
    for (let i = 0; i < 100; i++) queue.push({ text: 'WATCHDOG=1', pid: 5, uid: 0 });
    ready(0);
    assert.deepEqual([told.length, isWatched(), clock.pending], [64, false, [20]]);
    socket.readNow();
    assert.equal(told.length, 64);
    clock.advance(20);
    assert.ok(isWatched());
    ready(0);
    assert.deepEqual([told.length, isWatched(), clock.pending], [100, true, []]);
    for (let i = 0; i < 100; i++) queue.push({ text: 'WATCHDOG=1', pid: 5, uid: 0 });
    clock.advance(20);
    ready(0);
    socket.close();
    assert.deepEqual([told.length, isWatched(), clock.pending], [164, false, []]);
  });

  test('a socket that cannot be watched again is closed and reports it', () => {
    const { clock, told, queue, ready, scene } = fakeSocket();
    for (let i = 0; i < 100; i++) queue.push({ text: 'WATCHDOG=1', pid: 5, uid: 0 });
    ready(0);
    scene.refusal = 12;
    clock.advance(20);
    assert.deepEqual(told.at(-1), { kind: 'socketFailed', errno: 12 });
  });

  test('the listener may close the socket while a message is processed', () => {
    const scene = fakeSocket(() => scene.socket.close());
    const { told, queue, ready } = scene;
    queue.push({ text: 'STATUS=a\nREADY=1', pid: 5, uid: 0 }, { text: 'READY=1', pid: 5, uid: 0 });
    ready(0);
    assert.deepEqual(told, [{ kind: 'status', text: 'a' }]);
  });

  test('a socket that cannot be watched is closed', () => {
    const before = openDescriptors().length;
    const natives: SocketNatives = {
      ...addon,
      watchReadable: () => {
        throw Object.assign(new Error('epoll_ctl: ENOMEM'), { code: 'ENOMEM', syscall: 'epoll_ctl' });
      },
    };
    assert.throws(() => new NotificationSocket(natives, new FakeClock(), new Set(), () => undefined), {
      code: 'ENOMEM',
    });
    assert.equal(openDescriptors().length, before);
  });
});
