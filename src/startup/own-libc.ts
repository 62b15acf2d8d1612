/**
 * The start of the process as the C code before us has left it (src/native/libc): which libc it runs with, and
 * variables under other names. Pure.
 */

type Environment = Readonly<Record<string, string | undefined>>;

/** Variable by which users choose the libc. Programs do not get it: the choice is about our process. */
const LIBC = 'ONEVISOR_LIBC';
const SYSTEM = 'system';

/**
 * Begin of the names of variables that are for programs only, and would change what libc or Node do for us. As `prefix`
 * in src/native/libc/variables.c.
 */
const SET_ASIDE = 'ONEVISOR_SET_ASIDE_';

/** Returns the environment for programs: that which was given to the container, without the choice of the libc. */
export function environmentForPrograms(env: Environment): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(env)
      .filter(([name]) => name !== LIBC)
      .map(([name, value]) => [name.startsWith(SET_ASIDE) ? name.slice(SET_ASIDE.length) : name, value]),
  );
}

/** True if this process runs with the system's libraries. */
export function usesSystemLibc(env: Environment): boolean {
  return env[LIBC] === SYSTEM;
}

/** Returns the variables that make a copy of our process run with the same libc. */
export function libcChoice(env: Environment): Record<string, string> {
  return usesSystemLibc(env) ? { [LIBC]: SYSTEM } : {};
}
