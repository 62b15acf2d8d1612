/** `onevisor unpack DIR`: writes the native addon next to the executable, for images with a read-only root. */
import { reasonOf } from '../core/error-text.ts';
import { unpackAddon } from '../native/load.ts';
import type { ProgramIo } from './program-io.ts';

/** Unpacks into the given directory. Returns the exit code. */
export function runUnpack(args: readonly string[], io: ProgramIo): number {
  const [directory, ...rest] = args;
  if (directory === undefined || rest.length > 0 || directory.startsWith('-')) {
    io.err(
      'usage: onevisor unpack DIR\n\nWrites the native addon to DIR. In an image whose root is read-only when it ' +
        'runs, DIR is the directory of the executable.\n',
    );
    return 2;
  }
  try {
    io.out(`${unpackAddon(directory)}\n`);
    return 0;
  } catch (error) {
    io.err(`cannot unpack the addon to ${directory}: ${reasonOf(error)}\n`);
    return 1;
  }
}
