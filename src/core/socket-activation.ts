/** The variables by which a program learns of its sockets (sd_listen_fds(3)). Pure. */

/** Number of the first socket in a program: SD_LISTEN_FDS_START. */
export const FIRST_LISTEN_FD = 3;

/** Variable with the pid of the process that the sockets are for. Only that process knows its pid before its exec. */
export const LISTEN_PID = 'LISTEN_PID';

/** Most sockets that are taken over from a service manager. */
const MOST_INHERITED = 1000;

/** Sockets that a service manager has passed to us, from {@link FIRST_LISTEN_FD} on. */
export interface InheritedSockets {
  readonly count: number;
  /** The variables for a program that gets the same sockets. */
  readonly variables: ReadonlyArray<readonly [name: string, value: string]>;
}

/** Makes the variables for sockets with these names. */
export function listenVariables(names: readonly string[]): Array<readonly [name: string, value: string]> {
  return [
    ['LISTEN_FDS', String(names.length)],
    ['LISTEN_FDNAMES', names.join(':')],
  ];
}

/** Returns the sockets that were passed to the process with this pid; null for none. */
export function readInheritedSockets(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): InheritedSockets | null {
  const { LISTEN_PID: meant, LISTEN_FDS: digits = '', LISTEN_FDNAMES: names } = env;
  const count = /^\d{1,4}$/.test(digits) ? Number(digits) : 0;
  if (meant !== String(pid) || count < 1 || count > MOST_INHERITED) return null;
  const variables: InheritedSockets['variables'] = [
    ['LISTEN_FDS', digits],
    ...(names === undefined ? [] : [['LISTEN_FDNAMES', names] as const]),
  ];
  return { count, variables };
}
