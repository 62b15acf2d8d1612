/** The relays that the cases compare: ours in all forms, and the peers, each configured as it is fastest. */
import { readdir, readFile, open, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Contender, Peer } from './contenders.ts';
import { unpackBrackets, unpackJson, unpackLogfmt, unpackPrefix, unpackRaw } from './lines.ts';
import type { Unpack } from './lines.ts';
import type { Job, Relay } from './relay-run.ts';

/** Alone, so that only the lines of the programs arrive. */
const SILENT =
  '[supervisord]\nnodaemon=true\nsilent=true\nlogfile=/dev/null\nlogfile_maxbytes=0\n' +
  'pidfile=%FOLDER%/pid\nminfds=4096\n';

/** Bytes of a log file before its rotation. */
const ROTATED_BYTES = 20_000_000;
/** More files than a run fills, so that all bytes can be counted. */
const BACKUPS = 50;

const UNPACK: Readonly<Record<string, Unpack>> = {
  raw: unpackRaw,
  prefix: unpackPrefix,
  json: unpackJson,
  logfmt: unpackLogfmt,
};

/** A supervisor that reads supervisord.conf, with its programs on its standard output. */
export function supervised(
  name: string,
  contender: Contender,
  form: 'raw' | 'prefix' | 'json' | 'logfmt' | 'default',
  options: { readonly prefixBytes?: number; readonly supervisor?: string } = {},
): Relay {
  const format = form === 'default' ? '' : `log_format=${form}\n`;
  const isFixed = form !== 'json' && form !== 'logfmt';
  return {
    name,
    unpack: UNPACK[form] ?? unpackRaw,
    ...(isFixed ? { adds: form === 'prefix' ? (options.prefixBytes ?? 0) : 0 } : {}),
    command: (job) =>
      configured(job, {
        contender,
        head: `${SILENT}${options.supervisor ?? ''}`,
        log: () => `/dev/stdout\nstdout_logfile_maxbytes=0\n${format}`,
      }),
  };
}

/** The same, with a rotating file for each program. */
export function supervisedFiles(name: string, contender: Contender, options: string): Relay {
  return {
    name,
    unpack: unpackRaw,
    command: (job) =>
      configured(job, {
        contender,
        head: SILENT,
        log: (tag) =>
          `${job.folder}/${tag}.log\nstdout_logfile_maxbytes=${ROTATED_BYTES}\n` +
          `stdout_logfile_backups=${BACKUPS}\n${options}`,
      }),
    files: { arrived: arrivedIn(/\.log/), content: (folder) => contentOf(folder, /\.log/, byAge) },
  };
}

interface Configured {
  readonly contender: Contender;
  /** The text before the programs. */
  readonly head: string;
  /** Returns the value of stdout_logfile and the lines after it. */
  readonly log: (tag: string) => string;
}

async function configured({ folder, programs }: Job, { contender, head, log }: Configured): Promise<readonly string[]> {
  const path = join(folder, 'supervisord.conf');
  const sections = programs.map(
    ({ tag, words }) =>
      `[program:${tag}]\ncommand=${words.join(' ')}\nredirect_stderr=true\nstdout_logfile=${log(tag)}`,
  );
  await writeFile(path, `${head}${sections.join('\n')}\n`.replaceAll('%FOLDER%', folder));
  return [...contender.command, path];
}

/** `cat | cat`: two copies, as a relay makes at least. */
export const CATS: Relay = {
  name: 'cat | cat',
  isFilter: true,
  unpack: unpackRaw,
  adds: 0,
  command: () => ['/bin/sh', '-c', 'cat | cat'],
};

/** s6-log with a prefix. It adds a space. */
export function s6Prefix({ path }: Peer, tag: string): Relay {
  return {
    name: 's6-log',
    isFilter: true,
    share: 1 / 5,
    unpack: unpackPrefix,
    adds: tag.length + 3,
    command: () => [path, `p${tag} |`, '1'],
  };
}

/** s6-log with rotated files; with a processor, each file becomes its output. */
export function s6Files({ path }: Peer, processor: string | null): Relay {
  return {
    name: processor === null ? 's6-log files' : 's6-log gzip',
    isFilter: true,
    share: 1 / 5,
    unpack: unpackRaw,
    command: async ({ folder }) => {
      await mkdir(join(folder, 's6'));
      return [
        path,
        `n${BACKUPS}`,
        `s${ROTATED_BYTES}`,
        ...(processor === null ? [] : [`!${processor}`]),
        `${folder}/s6`,
      ];
    },
    files: {
      arrived: (folder) => arrivedIn(/^(@|current)/)(join(folder, 's6')),
      content: (folder) => contentOf(join(folder, 's6'), /^(@|current)/, (a, b) => (a < b ? -1 : 1)),
    },
  };
}

/** pm2-runtime, without files of its own. */
export function pm2Runtime(path: string): Relay {
  return {
    name: 'pm2-runtime',
    share: 1 / 20,
    unpack: unpackRaw,
    isTearing: true,
    command: ({ programs }) => {
      const [file = '', ...args] = programs[0]?.words ?? [];
      const own = ['--interpreter', 'none', '--output', '/dev/null', '--error', '/dev/null'];
      return [process.execPath, path, 'start', file, ...own, '--', ...args];
    },
  };
}

/** concurrently with its names before the lines. */
export function concurrently(path: string): Relay {
  return {
    name: 'concurrently',
    share: 1 / 20,
    unpack: unpackBrackets,
    command: ({ programs }) => [
      process.execPath,
      path,
      '--no-color',
      '--names',
      programs.map(({ tag }) => tag).join(','),
      ...programs.map(({ words }) => words.join(' ')),
    ],
  };
}

/** Returns a function that adds the bytes of the files in a folder, those of compressed files before compression. */
function arrivedIn(pattern: RegExp): (folder: string) => Promise<number> {
  return async (folder) => {
    let sum = 0;
    for (const name of await readdir(folder)) {
      if (!pattern.test(name) || /\.(tmp|new|part)/.test(name)) continue;
      sum += await lengthOf(join(folder, name)).catch(() => 0);
    }
    return sum;
  };
}

/** gzip has the length before compression in its last four bytes. */
async function lengthOf(path: string): Promise<number> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const ends = Buffer.alloc(6);
    if (size < 20) return size;
    await file.read(ends, 0, 2, 0);
    if (ends.readUInt16BE(0) !== 0x1f8b) return size;
    await file.read(ends, 2, 4, size - 4);
    return ends.readUInt32LE(2);
  } finally {
    await file.close();
  }
}

async function contentOf(folder: string, pattern: RegExp, order: (a: string, b: string) => number): Promise<string> {
  const names = (await readdir(folder)).filter((name) => pattern.test(name)).sort(order);
  const texts = names.map(async (name) => {
    const bytes = await readFile(join(folder, name));
    return (bytes.length > 2 && bytes.readUInt16BE(0) === 0x1f8b ? gunzipSync(bytes) : bytes).toString('latin1');
  });
  return (await Promise.all(texts)).join('');
}

/** The oldest file has the highest number, the newest has none. */
function byAge(a: string, b: string): number {
  const ageOf = (name: string): number => Number(/\.log\.(\d+)/.exec(name)?.[1] ?? 0);
  return ageOf(b) - ageOf(a);
}
