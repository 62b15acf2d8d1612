/** `onevisor schema`: prints the JSON Schema of the configuration, or of the environment variables. */
import { makeSchema, schemaNames } from '../config/schema.ts';
import { showText } from '../core/shown-text.ts';
import type { ProgramIo } from './program-io.ts';

/** Runs `schema` with the arguments after its name: none, or the name of a schema. Returns the exit code. */
export function runSchema(args: readonly string[], io: ProgramIo): number {
  const [word = 'configuration', ...more] = args;
  const name = schemaNames.find((known) => known === word);
  if (name === undefined || more.length > 0) {
    io.err(
      `Error: there is no schema "${showText(args.join(' '))}", only ${schemaNames.join(' and ')}\n` +
        'For help, use onevisor schema --help\n',
    );
    return 2;
  }
  io.out(`${JSON.stringify(makeSchema(name), null, 1)}\n`);
  return 0;
}
