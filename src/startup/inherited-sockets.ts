/** Looks at the sockets that a service manager has passed to our process (LISTEN_FDS). */
import { fstatSync } from 'node:fs';
import { errnoOf } from '../core/error-text.ts';
import { FIRST_LISTEN_FD, type InheritedSockets } from '../core/socket-activation.ts';

/** The reason why the sockets of a service manager are not passed on to programs. */
export const NOT_PASSED = 'only a command after -- gets them; name the sockets of a program in its listen';

/** Returns the reason why inherited descriptors are not the sockets that LISTEN_FDS promises; null if they are. */
export function findNoSocket({ count }: InheritedSockets): string | null {
  const numbers = Array.from({ length: count }, (_, index) => FIRST_LISTEN_FD + index);
  const wrong = numbers.find((fd) => !isSocket(fd));
  return wrong === undefined ? null : `descriptor ${wrong} is no socket`;
}

function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch (error) {
    if (errnoOf(error) !== 'EBADF') throw error;
    return false;
  }
}
