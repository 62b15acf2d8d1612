/** A machine in memory for the tests of the configuration: its files, directories, users and variables. */
import { posix } from 'node:path';
import type { Users } from '../../../src/config/datatype.ts';
import { noFlags } from '../../../src/config/flags.ts';
import type { Config, Problem, Reading } from '../../../src/config/model.ts';
import { formatProblem } from '../../../src/config/problems.ts';
import type { ReadSettings } from '../../../src/config/find-files.ts';
import { readConfig } from '../../../src/config/read.ts';
import type { Source } from '../../../src/config/source.ts';

/** Users root and app, groups root and staff. */
export const users: Users = {
  userByName: (name) => (name === 'root' || name === 'app' ? { home: `/home/${name}` } : null),
  userById: (uid) => (uid === 0 || uid === 1000 ? { home: '/home/root' } : null),
  groupByName: (name) => (name === 'root' || name === 'staff' ? {} : null),
  groupById: (gid) => (gid === 0 || gid === 50 ? {} : null),
};

export interface Machine {
  readonly files?: Readonly<Record<string, string>>;
  readonly directories?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly users?: Users | null;
}

/** Creates a source with these files, their directories, and further directories. */
export function memorySource({ files = {}, directories = [], env = {}, users: known = users }: Machine): Source {
  const parents = (path: string): string[] => (path === '/' ? ['/'] : [path, ...parents(posix.dirname(path))]);
  const all = new Set([
    '/',
    '/tmp',
    '/home/me',
    ...Object.keys(files).flatMap((path) => parents(posix.dirname(path))),
    ...directories.flatMap(parents),
  ]);
  return {
    env,
    cwd: '/home/me',
    hostname: 'box',
    users: known,
    read: (path) =>
      files[path] === undefined
        ? { ok: false, code: 'ENOENT', reason: 'there is no such file' }
        : { ok: true, text: files[path] },
    isFile: (path) => Object.hasOwn(files, path),
    isDirectory: (path) => all.has(path),
    list: (path) => [
      ...new Set(
        [...Object.keys(files), ...all]
          .filter((other) => other !== '/' && posix.dirname(other) === path)
          .map((other) => posix.basename(other)),
      ),
    ],
  };
}

/** Reads `/etc/supervisord.conf` of a machine. */
export function read(machine: Machine, settings: Partial<ReadSettings> = {}): Reading {
  return readConfig(memorySource(machine), {
    isContainer: false,
    isStatic: false,
    flags: noFlags,
    executable: '/usr/bin/onevisor',
    ...settings,
  });
}

/** Reads a text as the main file. The directory for logs exists. */
export function readText(text: string, machine: Machine = {}, settings: Partial<ReadSettings> = {}): Reading {
  return read(
    { directories: ['/var/log'], ...machine, files: { '/etc/supervisord.conf': text, ...machine.files } },
    settings,
  );
}

/** Returns the configuration of a reading. Fails if there are errors. */
export function configOf(reading: Reading): Config {
  if (reading.config === null) throw new Error(`rejected:\n${reading.errors.map(formatProblem).join('\n')}`);
  return reading.config;
}

/** Formats problems as they are printed. */
export function printed(problems: readonly Problem[]): string[] {
  return problems.map(formatProblem);
}
