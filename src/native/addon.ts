/**
 * The boundary to the kernel: types of the functions of the C addon. Every failure that is thrown is an Error with
 * `code` (the name of the errno), `errno` (positive) and `syscall`.
 * On the C side, addon*.c and glue.c translate values, syscalls.c, socket.c, peer.c and signals.c make the calls, and
 * child.c runs between clone and exec.
 */

/** Size of a terminal in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Target of a standard stream of a new process. */
export type StdioRequest =
  /** A new pipe; our end of it is in {@link SpawnResult}. */
  | 'pipe'
  /** A new pseudo terminal that changes no byte of the output; its master is in {@link SpawnResult}. */
  | TerminalSize
  /** /dev/null. */
  | 'null'
  /** Only for stderr: the same open file description as stdout (`redirect_stderr`). */
  | 'stdout'
  /** One of our descriptors. The child gets a copy; ours stays open. */
  | number;

/** A resource limit (setrlimit(2)); `Infinity` means RLIM_INFINITY. */
export interface ResourceLimit {
  /** Name of RLIMIT_* in lower case without the prefix, such as `nofile`. */
  readonly resource: string;
  readonly soft: number;
  readonly hard: number;
}

/** Sets of capabilities of a new process. */
export interface CapabilitySets {
  /** Removed from the bounding set, which needs CAP_SETPCAP. */
  readonly dropped: readonly number[];
  /** The permitted and effective set. */
  readonly kept: readonly number[];
  /** The ambient set, part of `kept`: with it, a program of another user than root has capabilities. */
  readonly ambient: readonly number[];
}

/** Everything that a spawn needs. The addon reads the whole request before it makes a process. */
export interface SpawnRequest {
  /** Path of the file for execve(2). PATH is not searched. */
  readonly file: string;
  readonly argv: readonly string[];
  /** The whole environment, as `NAME=value`. */
  readonly env: readonly string[];
  /** Name of a further variable, to which the child itself sets its pid (LISTEN_PID); null: none. */
  readonly pidVariable: string | null;
  /** Working directory, entered with the new credentials; null: ours. */
  readonly directory: string | null;
  readonly umask: number | null;
  readonly uid: number | null;
  readonly gid: number | null;
  /** Supplementary groups, set only together with uid; null: ours. */
  readonly groups: readonly number[] | null;
  readonly limits: readonly ResourceLimit[];
  readonly nice: number | null;
  readonly oomScoreAdj: number | null;
  /** Capabilities by their numbers (capabilities(7)); null: none is changed. */
  readonly capabilities: CapabilitySets | null;
  /** Sets no_new_privs (prctl(2)): no program that it executes gets more privileges, as by set-user-ID. */
  readonly noNewPrivileges: boolean;
  /** Descriptor of a file `cgroup.procs`, which moves the child into that cgroup before its exec; null: none. */
  readonly cgroup: number | null;
  /** Signal that the child gets when the supervisor dies (PR_SET_PDEATHSIG); null: none. */
  readonly parentDeathSignal: number | null;
  readonly stdin: StdioRequest;
  readonly stdout: StdioRequest;
  readonly stderr: StdioRequest;
  /**
   * Process group of the child. `group`: its own (setpgid), as in Supervisor. `session`: its own session (setsid).
   * `foreground`: its own group, made the foreground group of our terminal (tcsetpgrp on stdin), for init mode. `none`:
   * ours.
   */
  readonly leadership: 'group' | 'session' | 'foreground' | 'none';
  /** Further descriptors: our number, and the number in the child. The child gets no others. */
  readonly descriptors: ReadonlyArray<{ readonly from: number; readonly to: number }>;
}

/** The parts of a request that leave the child as we are: credentials, limits and the rest are inherited. */
export const INHERITED = {
  pidVariable: null,
  directory: null,
  umask: null,
  uid: null,
  gid: null,
  groups: null,
  limits: [],
  nice: null,
  oomScoreAdj: null,
  capabilities: null,
  noNewPrivileges: false,
  cgroup: null,
  parentDeathSignal: null,
  descriptors: [],
} as const satisfies Partial<SpawnRequest>;

/**
 * Our ends of the pipes, or the master of a terminal; null for other streams. All are close-on-exec. A pipe is
 * blocking, a master is not.
 */
export interface SpawnResult {
  readonly pid: number;
  readonly stdin: number | null;
  readonly stdout: number | null;
  readonly stderr: number | null;
}

/** The stage at which a spawn failed; CHILD_STAGES in child.h has the same names. */
export type SpawnStage =
  | 'pipe'
  | 'pty'
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
  | 'capabilities'
  | 'cgroup'
  | 'privileges'
  | 'directory'
  | 'descriptors'
  | 'exec';

/** Error of {@link Addon.spawn}. */
export interface SpawnFailure extends Error {
  readonly code: string;
  readonly errno: number;
  readonly stage: SpawnStage;
}

/** A reaped child with the raw status of waitpid(2); core/exit-status.ts decodes the status. */
export interface Reaped {
  readonly pid: number;
  readonly status: number;
  /** Processor time of the child and of the descendants that were waited for, in milliseconds. */
  readonly cpuMs: number;
}

/** A user in the databases of the name service switch (getpwnam_r, getpwuid_r). */
export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

/** A group in the databases of the name service switch. */
export interface UserGroup {
  readonly name: string;
  readonly gid: number;
}

/** Functions of the addon. Each either throws on failure or returns an errno, as its comment says. */
export interface Addon {
  /**
   * Starts a program and returns once its exec has succeeded. Throws {@link SpawnFailure}; the failed child is
   * collected already.
   */
  spawn(request: SpawnRequest): SpawnResult;
  /**
   * Collects up to `limit` ended children without waiting. Fewer than `limit` means that no more have ended. The only
   * caller of waitpid(-1), which takes any child. A second waitpid, in a failed spawn, takes only its own child.
   */
  reap(limit: number): Reaped[];
  /** kill(2): a negative pid is a process group, -1 is every process that we may signal. Returns 0 or the errno. */
  kill(pid: number, signal: number): number;
  /** Makes us the parent of orphaned descendants (PR_SET_CHILD_SUBREAPER). Throws. */
  setSubreaper(): void;
  /** Ignores a signal (SIG_IGN), which Node cannot do. Spawned programs start with the default action. Throws. */
  ignoreSignal(signal: number): void;
  /** Removes a signal from the mask of the calling thread. Node blocks SIGUSR1 under --disable-sigusr1. Throws. */
  unblockSignal(signal: number): void;
  /**
   * Catches a signal by sigaction(2) in place of Node's handler, and queues each signal with its sender. Also removes
   * the signal from the mask of the calling thread. Returns true if the action was the default until now. Throws
   * (EINVAL: the signal cannot be caught).
   */
  catchSignal(signal: number): boolean;
  /** Descriptor that is readable while the queue has signals. Only for {@link Addon.watchReadable}, never to read. */
  signalPipe(): number;
  /**
   * Takes up to 64 caught signals, the oldest first, and returns their number. Never waits. `out` has room for 64 times
   * three numbers: the signal, si_code and si_pid, the last two as the bits of signed numbers. si_pid is 0 for the
   * kernel and other PID namespaces, and -1 if the queue was full.
   */
  readSignals(out: Uint32Array): number;
  userByName(name: string): User | null;
  userById(uid: number): User | null;
  groupByName(name: string): UserGroup | null;
  groupById(gid: number): UserGroup | null;
  /** All groups of a user, including `gid` (getgrouplist(3)). */
  groupsOf(name: string, gid: number): number[];
  /** Changes groups, gid and uid of this whole process, irrevocably (`user` in [supervisord]). Throws. */
  becomeUser(uid: number, gid: number, groups: readonly number[]): void;
  getLimit(resource: string): ResourceLimit;
  setLimit(limit: ResourceLimit): void;
  /** Capacity of a pipe in bytes (F_GETPIPE_SZ). Throws. */
  pipeSize(fd: number): number;
  /** Asks for a capacity (F_SETPIPE_SZ). Returns the capacity afterwards, the old one if the kernel refused. Throws. */
  growPipe(fd: number, bytes: number): number;
  /**
   * Reads once from a non-blocking descriptor into `target`. Returns the number of bytes, 0 at end of file, or the
   * negative errno (-11, EAGAIN: no bytes yet).
   */
  readNow(fd: number, target: Uint8Array): number;
  /**
   * Writes the bytes from `start` to `end` once to a non-blocking descriptor. Returns the number of written bytes,
   * or the negative errno (-11, EAGAIN: no room). An error object for each full pipe would cost more than the write.
   */
  writeNow(fd: number, bytes: Uint8Array, start: number, end: number): number;
  /** Makes a pipe whose ends are close-on-exec and blocking. Throws. */
  openPipe(): { readonly readEnd: number; readonly writeEnd: number };
  /** Foreground process group of a terminal (tcgetpgrp); -1 if fd is no terminal. */
  foregroundGroup(fd: number): number;
  /** Makes a group the foreground group (tcsetpgrp with SIGTTOU blocked). Returns 0 or the errno. */
  setForegroundGroup(fd: number, group: number): number;
  /** Makes `to` a copy of `from` in one step (dup2(2)), so no other file can get the number. Returns 0 or the errno. */
  replaceDescriptor(from: number, to: number): number;
  /**
   * Copies the whole lines of `lines` into target, with `prefix` before each line, until a line does not fit. Sets
   * out[0] to the number of bytes taken and out[1] to the number written. Bytes after the last newline are not taken.
   */
  frame(lines: Uint8Array, prefix: Uint8Array, target: Uint8Array, out: Uint32Array): void;
  /**
   * Writes records into target: `head`, the quoted and escaped message, and `tail`; both are not empty. `unit`: 0 a
   * record of each whole line, until a line might not fit; 1 the same, until a line begins with a brace; 2 one record
   * of all bytes, if it fits. Sets out[0] to the number of bytes taken and out[1] to the number written. The source is
   * UTF-8. A record fits if there is room for six bytes in place of each.
   */
  record(
    source: Uint8Array,
    head: Uint8Array,
    tail: Uint8Array,
    unit: number,
    target: Uint8Array,
    out: Uint32Array,
  ): void;
  /** Counts the newlines. Takes about 2 µs for 64 KiB. */
  countNewlines(bytes: Uint8Array): number;
  /**
   * Makes a blocking stream socket that listens at a path, for a program to accept on. The file has this mode, less our
   * umask, from the beginning. Throws (EADDRINUSE: the path exists, ENAMETOOLONG: it has more than 107 bytes).
   */
  listenUnix(path: string, backlog: number, mode: number): number;
  /** The same on a numeric IPv4 or IPv6 address, with SO_REUSEADDR. Throws (EINVAL: no numeric address). */
  listenTcp(address: string, port: number, backlog: number): number;
  /**
   * Makes a descriptor that is readable while a listening socket has a connection to accept. Watch this one and not the
   * socket: libuv would make the socket non-blocking, and the programs that accept on it share its flags. Throws.
   */
  openConnectionWatch(socket: number): number;
  /** Makes a datagram socket for sending to a path, such as /dev/log, or to an abstract name (`@NAME`). Throws. */
  connectDatagram(path: string): number;
  /** Sends bytes[start, end) as one datagram. Never waits. Returns 0 or the errno (EAGAIN: the receiver is behind). */
  sendDatagram(fd: number, bytes: Uint8Array, start: number, end: number): number;
  /**
   * Makes a unix datagram socket at an abstract address (unix(7): a NUL, then `name`). Such an address needs no
   * writable directory and ends with the socket. Throws (EADDRINUSE, ENAMETOOLONG: more than 107 bytes).
   */
  openDatagram(name: string): number;
  /**
   * Takes one datagram from such a socket. Never waits. Returns 0 or the errno (EAGAIN: there is none). Descriptors
   * that were sent with it are closed. Sets out to the number of bytes in `target`, the pid (0: in another PID
   * namespace) and the uid of the sender as the kernel knows them, and 1 if the datagram was cut, otherwise 0.
   */
  receiveDatagram(fd: number, target: Uint8Array, out: Uint32Array): number;
  /**
   * Finds the process at the other end of a connected unix socket. Sets out to its pid (0: in another PID namespace)
   * and uid. Returns 0 or the errno.
   */
  peerOf(fd: number, out: Uint32Array): number;
  /**
   * Finds the process that listens at a path or at an abstract address (`@NAME`), by a connection that is closed at
   * once. `out` is as above. Never waits. Returns 0 or the errno (ECONNREFUSED: nothing listens, EAGAIN: the queue of
   * the listener is full).
   */
  peerAt(path: string, out: Uint32Array): number;
  /**
   * Watches a descriptor: the loop calls `ready` with 0 and the descriptor while there are bytes to read. After a call
   * with an errno the watch has ended. A watch does not keep the loop alive. Watches with the same function share its
   * reference. Throws (EEXIST: the descriptor has a watch already, EPERM: the kernel cannot poll it).
   */
  watchReadable(fd: number, ready: (errno: number, fd: number) => void): void;
  /** Ends the watch of a descriptor, if it has one. Must come before the descriptor is closed. */
  unwatchReadable(fd: number): void;
  /**
   * Makes a descriptor that becomes readable when the wall clock is set, by a user or after a sleep of the machine
   * (timerfd_create(2)). Throws.
   */
  openClockWatch(): number;
  /** Makes that descriptor wait for the next change of the clock. Returns 0 or the errno. */
  rearmClockWatch(fd: number): number;
  /**
   * Counts the threads, at most `most` (64), that the kernel lets this process make now. Makes and ends them, but only
   * 12 of them if the limits that can be read (RLIMIT_NPROC, pids.max) are far away.
   */
  countThreads(most: number): number;
  /** malloc_trim(3): returns unused memory of the C library to the system. Takes some milliseconds. */
  trimMemory(): void;
  /**
   * Returns Latin-1 bytes as a string that V8 does not copy. They must stay where they are and as they are for the life
   * of the process, as the assets of the executable do.
   */
  textInPlace(bytes: Uint8Array): string;
  /** _exit(2): ends the process without joining threads. A thread may hang in a write to a stalled reader. */
  exitNow(code: number): never;
}
