/**
 * The boundary to the kernel, as TypeScript sees it: the functions of the C addon and their types.
 * Nothing here decides anything; every failure is an Error with `code` (an errno name) and `syscall`.
 * The C side is addon*.c (glue), syscalls.c and socket.c (the calls) and child.c (what runs between fork and exec).
 */

/** Where one of the three standard streams of a new process leads. */
export type StdioRequest =
  /** A fresh pipe2(2) pipe; its other end comes back in {@link SpawnResult}. */
  | 'pipe'
  /** /dev/null. */
  | 'null'
  /** Only for stderr: the same open file description as stdout (`redirect_stderr`). */
  | 'stdout'
  /** A descriptor of ours, duplicated into the child; it stays open here. */
  | number;

/** A resource limit (setrlimit(2)); `Infinity` stands for RLIM_INFINITY. */
export interface ResourceLimit {
  /** RLIMIT_* name in lower case without the prefix, as `nofile`. */
  readonly resource: string;
  readonly soft: number;
  readonly hard: number;
}

/** Everything that a spawn needs; it is unpacked to C before the fork. */
export interface SpawnRequest {
  /** The file that is executed, as execve(2) gets it: no search happens. */
  readonly file: string;
  readonly argv: readonly string[];
  /** The whole environment, as `NAME=value`. */
  readonly env: readonly string[];
  /** Directory to change to, after the change of credentials; null: ours. */
  readonly directory: string | null;
  readonly umask: number | null;
  readonly uid: number | null;
  readonly gid: number | null;
  /** Supplementary groups, set only together with uid; null: leave them. */
  readonly groups: readonly number[] | null;
  readonly limits: readonly ResourceLimit[];
  readonly nice: number | null;
  readonly oomScoreAdj: number | null;
  /** Signal that the child gets when we die (PR_SET_PDEATHSIG); null: none. */
  readonly parentDeathSignal: number | null;
  readonly stdin: StdioRequest;
  readonly stdout: StdioRequest;
  readonly stderr: StdioRequest;
  /**
   * `group`: a process group of its own (setpgid), as Supervisor does. `session`: setsid. `foreground`: a group of its
   * own that is made the foreground group of our terminal (tcsetpgrp on stdin), for init mode. `none`: it stays in our
   * group.
   */
  readonly leadership: 'group' | 'session' | 'foreground' | 'none';
  /** Further descriptors: ours → the number it has in the child. All others are closed in the child. */
  readonly descriptors: ReadonlyArray<{ readonly from: number; readonly to: number }>;
}

/** Our ends of the pipes asked for; null where none was. They are close-on-exec; none is set non-blocking. */
export interface SpawnResult {
  readonly pid: number;
  readonly stdin: number | null;
  readonly stdout: number | null;
  readonly stderr: number | null;
}

/** The step at which a spawn failed, in the order in which they are made. */
export type SpawnStage =
  | 'pipe'
  | 'fork'
  | 'group'
  | 'terminal'
  | 'stdio'
  | 'limits'
  | 'nice'
  | 'oom'
  | 'groups'
  | 'gid'
  | 'uid'
  | 'directory'
  | 'descriptors'
  | 'exec';

/** What {@link Addon.spawn} throws. */
export interface SpawnFailure extends Error {
  readonly code: string;
  readonly errno: number;
  readonly stage: SpawnStage;
}

/** One reaped child: the raw status of waitpid(2), to be taken apart by core/exit-status.ts. */
export interface Reaped {
  readonly pid: number;
  readonly status: number;
}

/** A user as NSS knows it (getpwnam_r, getpwuid_r). */
export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

/** A group as NSS knows it. */
export interface UserGroup {
  readonly name: string;
  readonly gid: number;
}

/** Functions of the addon. Those that return a number return 0 or an errno (positive); the others throw. */
export interface Addon {
  /**
   * Starts a program; returns once its exec has succeeded. Throws {@link SpawnFailure}. The cost does not grow with our
   * heap.
   */
  spawn(request: SpawnRequest): SpawnResult;
  /**
   * Collects ended children, without waiting, at most `limit` of them; fewer than `limit` means that none is left. The
   * only caller of waitpid.
   */
  reap(limit: number): Reaped[];
  /** kill(2); a negative pid is a process group, -1 all that we may signal. Returns 0 or the errno. */
  kill(pid: number, signal: number): number;
  /** Orphans below us become our children (PR_SET_CHILD_SUBREAPER). */
  setSubreaper(): void;
  /**
   * Sets a signal to be ignored (SIG_IGN), which Node cannot; programs that are spawned get the default back all the
   * same.
   */
  ignoreSignal(signal: number): void;
  /** Takes a signal out of the mask of the calling thread; Node blocks SIGUSR1 where it may not start its debugger. */
  unblockSignal(signal: number): void;
  /**
   * Catches a signal by sigaction(2), Node's own handler for it included: each one that comes is queued, with its
   * sender. Also takes it out of the mask of the calling thread. Returns true if its action was the default one until
   * now. Throws (EINVAL: it cannot be caught).
   */
  catchSignal(signal: number): boolean;
  /** Descriptor that is readable while caught signals wait; for {@link Addon.watchReadable}, never for read(2). */
  signalPipe(): number;
  /**
   * Takes up to 64 caught signals, the oldest first, without waiting, and returns how many. `out` has room for 64 of
   * them, three numbers each:
   * the signal, si_code, si_pid as 32 bits of a signed number (0: the kernel or another pid namespace, -1: lost, too
   * many were waiting).
   */
  readSignals(out: Uint32Array): number;
  userByName(name: string): User | null;
  userById(uid: number): User | null;
  groupByName(name: string): UserGroup | null;
  groupById(gid: number): UserGroup | null;
  /** All groups of a user, the given one included (getgrouplist(3)). */
  groupsOf(name: string, gid: number): number[];
  /** Changes the credentials of this whole process for good: groups, gid, uid (`user=` in [supervisord]). */
  becomeUser(uid: number, gid: number, groups: readonly number[]): void;
  getLimit(resource: string): ResourceLimit;
  setLimit(limit: ResourceLimit): void;
  /** Capacity of a pipe (F_GETPIPE_SZ); bytes. */
  pipeSize(fd: number): number;
  /** Asks for another capacity (F_SETPIPE_SZ); returns the one it has then, the old one when the kernel refused. */
  growPipe(fd: number, bytes: number): number;
  /**
   * Reads once from a descriptor that does not block, into `target`: the number of bytes, 0 at end of file, or the
   * negative errno (-11, EAGAIN: nothing is there).
   */
  readNow(fd: number, target: Uint8Array): number;
  /** A pipe, both ends close-on-exec and blocking. */
  openPipe(): { readonly readEnd: number; readonly writeEnd: number };
  /** Process group in the foreground of a terminal (tcgetpgrp), -1 when fd is none. */
  foregroundGroup(fd: number): number;
  /** Makes a group the foreground one (tcsetpgrp, SIGTTOU blocked); returns 0 or the errno. */
  setForegroundGroup(fd: number, group: number): number;
  /**
   * Makes `to` what `from` is, in one step (dup2(2)): at no time is the number free for others. Returns 0 or the errno.
   */
  replaceDescriptor(from: number, to: number): number;
  /** Number of the signal with this name, with or without SIG, also RTMIN+1; null when there is none. */
  signalNumber(name: string): number | null;
  /**
   * Copies the whole lines of source[start, end) into target from `at` on, `prefix` before each, for as long as a line
   * fits. out[0] becomes the number of bytes taken from source, out[1] the number written. What follows the last
   * newline is not taken.
   */
  frame(
    source: Uint8Array,
    start: number,
    end: number,
    prefix: Uint8Array,
    target: Uint8Array,
    at: number,
    out: Uint32Array,
  ): void;
  /**
   * A blocking stream socket that listens at a path, for a program to accept on; nobody here does. The path must be
   * free, its mode is by our umask. Throws (ENAMETOOLONG: it has more than 107 bytes).
   */
  listenUnix(path: string, backlog: number): number;
  /** The same on an IPv4 or IPv6 address in numbers (EINVAL: it is none), with SO_REUSEADDR. */
  listenTcp(address: string, port: number, backlog: number): number;
  /** A datagram socket that sends to a path, as /dev/log, or to the abstract name behind a leading `@`. Throws. */
  connectDatagram(path: string): number;
  /**
   * Sends bytes[start, end) as one datagram, without waiting; returns 0 or the errno (EAGAIN: its reader is behind).
   */
  sendDatagram(fd: number, bytes: Uint8Array, start: number, end: number): number;
  /**
   * A unix datagram socket at an abstract address (unix(7): a NUL, then `name`), which needs no place to write to and
   * ends with the socket. Throws (EADDRINUSE, ENAMETOOLONG: more than 107 bytes).
   */
  openDatagram(name: string): number;
  /**
   * Takes one datagram from such a socket, without waiting; returns 0 or the errno (EAGAIN: there is none). Descriptors
   * that came with it are closed. out: the number of bytes stored in `target`, pid (0: of another pid namespace) and
   * uid of the sender as the kernel knows them, 1 where it was cut, else 0.
   */
  receiveDatagram(fd: number, target: Uint8Array, out: Uint32Array): number;
  /**
   * Process at the other end of a connected unix socket. out: pid (0: of another PID namespace), uid. Returns 0 or the
   * errno.
   */
  peerOf(fd: number, out: Uint32Array): number;
  /**
   * Process that listens at a path, or at an abstract address (`@NAME`), asked by a connection that is closed again;
   * `out` as above. Does not wait.
   * Returns 0 or the errno (ECONNREFUSED: the listener is gone, EAGAIN: its queue is full).
   */
  peerAt(path: string, out: Uint32Array): number;
  /**
   * Calls `ready` from the loop as long as there is something to be read, with 0, or once with an errno, after which it
   * is watched no more. That does not keep the loop alive. Throws (EEXIST: it is watched already, EPERM: it cannot be
   * waited for).
   */
  watchReadable(fd: number, ready: (errno: number) => void): void;
  /** Ends that; to be called before the descriptor is closed. One that is not watched is let be. */
  unwatchReadable(fd: number): void;
  /**
   * A descriptor that becomes readable when the wall clock is set, by somebody or after a sleep of the machine
   * (timerfd_create(2)). Throws.
   */
  openClockWatch(): number;
  /** Makes it wait for the next time. Returns 0 or the errno. */
  rearmClockWatch(fd: number): number;
  /**
   * Counts the threads, at most `most` (64), that the kernel lets this process make now. It makes them, and they end at
   * once.
   */
  countThreads(most: number): number;
  /** _exit(2): ends the process at once, joining no thread (one may hang in a write to a stalled reader). */
  exitNow(code: number): never;
}
