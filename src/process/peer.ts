/** The process at the other end of a unix socket, as the kernel knows it. */
import type { Peer } from '../core/control-socket.ts';
import type { Addon } from '../native/addon.ts';

/** Finds the peer of a connected socket; null if the kernel does not know it. */
export function peerOf(addon: Pick<Addon, 'peerOf'>, fd: number): Peer | null {
  const out = new Uint32Array(2);
  return addon.peerOf(fd, out) === 0 ? { pid: out[0] ?? 0, uid: out[1] ?? 0 } : null;
}
