/**
 * The configuration of a sample program, read as the supervisor reads a file. The diagram and the tests get the
 * defaults of all options, and the policies that follow from them, from here.
 */
import { noFlags } from '../src/config/flags.ts';
import type { Config, ProcessConfig } from '../src/config/model.ts';
import { formatProblem } from '../src/config/problems.ts';
import { readConfig } from '../src/config/read.ts';
import type { Source } from '../src/config/source.ts';

const settings = { isContainer: false, isStatic: false, flags: noFlags, executable: '/usr/bin/onevisor' } as const;

/** Returns a source without files, with a configuration in the environment. */
function sourceOf(text: string): Source {
  return {
    env: { ONEVISOR_CONF_TEXT: text },
    cwd: '/',
    hostname: 'box',
    users: null,
    read: () => ({ ok: false, code: 'ENOENT', reason: 'there is no such file' }),
    isFile: () => false,
    isDirectory: () => false,
    list: () => [],
  };
}

/** Reads a configuration. Throws if it is invalid. */
export function sampleConfig(text: string): Config {
  const { config, errors } = readConfig(sourceOf(text), settings);
  if (config === null) throw new Error(errors.map(formatProblem).join('\n'));
  return config;
}

/** Reads a program with these options, each a line of the file: `startsecs=0`. Throws if an option is invalid. */
export function sampleProgram(...options: readonly string[]): ProcessConfig {
  const text = ['[program:web]', 'command=/bin/web', ...options].join('\n');
  const proc = sampleConfig(text).groups[0]?.processes[0];
  if (proc === undefined) throw new Error('there is no program');
  return proc;
}
