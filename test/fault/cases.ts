/**
 * The faults: which call of which path fails with which errors. The first error of each row is made in the brief form
 * of the test. An error is listed if the kernel, a security module or a filter of a container can answer it.
 */
import type { Who } from './injector.ts';
import {
  addAndRemove,
  changeWatched,
  clearLogs,
  killAndAwait,
  logLines,
  restartOnRequest,
  type World,
} from './world.ts';

/** Something that a supervisor does, with all the calls on its way. Rejects if that did not work. */
export type Exercise = (world: World, patienceMs: number) => Promise<unknown>;

export const EXERCISES = {
  spawn: (world) => restartOnRequest(world),
  reap: (world, patienceMs) => killAndAwait(world, 'steady', '86401', patienceMs),
  log: (world, patienceMs) => logLines(world, 1, patienceMs),
  rotate: (world, patienceMs) => logLines(world, 60, patienceMs),
  clear: (world, patienceMs) => clearLogs(world, patienceMs),
  reload: (world) => addAndRemove(world),
  watch: (world, patienceMs) => changeWatched(world, patienceMs),
  accept: ({ processes }, patienceMs) => processes(patienceMs),
} as const satisfies Record<string, Exercise>;

export type Path = keyof typeof EXERCISES;

/** A call, and the errors that it is to fail with. */
export interface Row {
  readonly path: Path;
  readonly who: Who;
  readonly call: string;
  /** Part of the path, or of what the descriptor leads to; null for any. */
  readonly target: string | null;
  readonly errors: readonly string[];
  /** True if this call is not in the brief form. */
  readonly isLong: boolean;
}

/** Errors of calls that need memory, descriptors, or a file on a disk. */
const MEMORY = ['ENOMEM', 'EAGAIN'];
const OPEN = ['EMFILE', 'ENFILE', 'EIO', 'ENOMEM', 'EINTR', 'EPERM'];
/** EPERM is left out: name services say "not found" by it (getpwnam(3)). */
const LOOK_UP = ['EMFILE', 'ENFILE', 'EIO', 'ENOMEM', 'EINTR'];
const CREATE = ['ENOSPC', 'EROFS', ...OPEN];
const WRITE = ['ENOSPC', 'EIO', 'EAGAIN', 'EINTR', 'ENOMEM', 'EPERM', 'EROFS'];
/** After EPERM of statx, libuv does not call it any more. */
const LOOK = ['EIO', 'ENOMEM', 'EINTR'];
/** EPERM is left out: it means a file that can never be watched, and pipes and sockets always can. */
const WATCH = ['ENOSPC', 'ENOMEM'];
const CHANGE = ['EROFS', 'EIO', 'ENOSPC', 'EPERM', 'ENOMEM', 'EINTR'];

/** Makes the rows of a path. A call may be `CALL:TARGET`. Calls in brackets are only in the long form. */
function rowsOf(path: Path, who: Who, calls: Readonly<Record<string, readonly string[]>>): Row[] {
  return Object.entries(calls).map(([key, errors]) => {
    const isLong = key.startsWith('[');
    const [call = '', target = null] = key.replace(/[[\]]/g, '').split(':');
    return { path, who, call, target, errors, isLong };
  });
}

export const ROWS: readonly Row[] = [
  ...rowsOf('spawn', 'child', {
    execve: ['EIO', 'ENOMEM', 'EAGAIN', 'EPERM', 'EMFILE', 'ENFILE'],
    dup2: ['EMFILE', 'EINTR'],
    chdir: ['EIO', 'ENOMEM', 'EPERM'],
    setresuid: ['EAGAIN', 'EPERM', 'ENOMEM'],
    setresgid: ['EPERM'],
    setgroups: ['ENOMEM', 'EPERM'],
    '[setpgid]': ['EPERM'],
    prlimit64: ['EPERM'],
    '[setpriority]': ['EPERM'],
    close_range: ['EPERM', 'ENOMEM', 'EMFILE'],
  }),
  ...rowsOf('spawn', 'pid1', {
    // EPERM comes last: clone takes the place of clone3 from then on.
    clone3: ['EAGAIN', 'ENOMEM', 'EPERM'],
    '[clone]': ['EAGAIN', 'ENOMEM', 'EPERM'],
    pipe2: ['EMFILE', 'ENFILE', 'ENOMEM'],
    'openat:/etc/passwd': LOOK_UP,
    '[openat:/etc/group]': LOOK_UP,
    'statx:/sleep': LOOK,
    'access:/sleep': LOOK,
    fchown: ['EPERM', 'EROFS', 'EIO'],
    '[ioctl]': ['EPERM'],
    '[prctl]': ['EPERM'],
    '[epoll_ctl:pipe]': WATCH,
  }),
  ...rowsOf('reap', 'pid1', { wait4: ['EINTR'], '[epoll_pwait]': ['EINTR'], clone3: MEMORY }),
  ...rowsOf('log', 'pid1', {
    'read:pipe': ['EAGAIN', 'EINTR'],
    'write:chatty.log': WRITE,
    '[write:eventfd]': ['EINTR'],
    epoll_pwait: ['EINTR'],
  }),
  ...rowsOf('rotate', 'pid1', {
    rename: CHANGE,
    'openat:chatty.log': CREATE,
    'statx:chatty.log': LOOK,
    newfstatat: LOOK,
    'ftruncate:cut.log': CHANGE,
    'write:chatty.log': WRITE,
    '[getdents64]': ['EIO', 'ENOMEM'],
    'close:chatty.log': ['EIO', 'ENOSPC', 'EINTR'],
  }),
  ...rowsOf('clear', 'pid1', { 'unlink:chatty.log': CHANGE, 'openat:chatty.log': CREATE }),
  ...rowsOf('reload', 'pid1', {
    'openat:supervisord.conf': OPEN,
    'statx:supervisord.conf': LOOK,
    'read:supervisord.conf': ['EIO', 'EINTR', 'ENOMEM'],
    '[close:supervisord.conf]': ['EIO', 'EINTR'],
    socket: ['EMFILE', 'ENFILE', 'ENOMEM', 'EPERM'],
    bind: ['EROFS', 'ENOSPC', 'ENOMEM', 'EPERM', 'EIO'],
    listen: ['ENOMEM', 'EPERM'],
    chmod: ['EPERM', 'EROFS', 'EIO'],
    '[fchmod]': ['EPERM', 'EIO'],
    'unlink:extra.sock': CHANGE,
    '[statx:extra.sock]': LOOK,
  }),
  ...rowsOf('watch', 'pid1', {
    'inotify_add_watch:watched': ['ENOSPC', 'ENOMEM', 'EMFILE', 'EPERM'],
    'openat:watched': OPEN,
    'getdents64:watched': ['EIO', 'ENOMEM'],
    '[statx:watched]': LOOK,
  }),
  ...rowsOf('accept', 'pid1', {
    accept4: ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR', 'EPERM'],
    'read:socket': ['ENOMEM', 'EIO', 'EAGAIN', 'EINTR'],
    'writev:socket': ['ENOMEM', 'EIO', 'EAGAIN', 'EINTR', 'EPERM'],
    epoll_ctl: WATCH,
    '[close:socket]': ['EIO', 'EINTR'],
    '[shutdown:socket]': ['EIO'],
    '[getsockopt]': ['ENOMEM', 'EPERM'],
  }),
];
