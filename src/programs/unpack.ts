/**
 * `onevisor unpack`: wrote the native addon beside the executable. The addon is inside now, and old Dockerfiles that
 * call this still build.
 */
import type { ProgramIo } from './program-io.ts';

/** Says that nothing is left to do. Returns the exit code. */
export function runUnpack(io: Pick<ProgramIo, 'err'>): number {
  io.err('onevisor unpack: not needed any more, the native addon is inside the executable; remove the line\n');
  return 0;
}
