/** Reads `[supervisord]`, and adds the command line to a document: the flags, and the program `main`. Pure. */
import { posix } from 'node:path';
import { joinCommandLine } from '../core/command-line.ts';
import type { Context } from './datatype.ts';
import { type Document, ensureSection } from './dialect.ts';
import type { Flags } from './flags.ts';
import { checkLogFiles } from './log-files.ts';
import { supervisordOptions, type SupervisordOptions } from './options.ts';
import type { SectionReader } from './section-reader.ts';
import type { SectionView } from './section-view.ts';
import type { Source } from './source.ts';

/** Name of the program that a command line after `--` makes. */
export const MAIN = 'main';

/** Defaults of the program `main`. Options that are set for it elsewhere come before them. */
const MAIN_DEFAULTS: Readonly<Record<string, string>> = {
  autorestart: 'false',
  startsecs: '0',
  startretries: '0',
  exit_on_end: 'true',
  stdout_logfile: '/dev/stdout',
  stderr_logfile: '/dev/stderr',
};

/** Adds the flags as options of `[supervisord]`, and a command line as the program `main`. */
export function addFlags(document: Document, flags: Flags): void {
  for (const [option, { flag, value }] of flags.overrides) {
    const place = { file: flag, line: 0 };
    ensureSection(document, 'supervisord', place).options.set(option, { value, place, here: '/', literal: true });
  }
  if (flags.command === null) return;
  const literal = { place: { file: '--', line: 0 }, here: '/', literal: true } as const;
  const { options } = ensureSection(document, `program:${MAIN}`, literal.place);
  options.set('command', { value: joinCommandLine(flags.command), ...literal });
  for (const [name, value] of Object.entries(MAIN_DEFAULTS))
    if (!options.has(name)) options.set(name, { value, ...literal });
  // The program has our own streams, which no terminal can replace. A `tty` of [program-default] is for the others.
  options.set('tty', { value: 'false', ...literal });
  // As with tini and dumb-init, the output of a command is not mixed with messages of a supervisor.
  const supervisord = ensureSection(document, 'supervisord', literal.place).options;
  if (!supervisord.has('loglevel')) supervisord.set('loglevel', { value: 'warn', ...literal });
}

const DOUBLED_PERCENT = 'a percent sign is written %% here too, as in Supervisor 4.4, and %%%% makes two';

/** Reads the options of `[supervisord]`. */
export function readSupervisord(
  document: Document,
  reader: SectionReader,
  source: Source,
  context: Context,
): SupervisordOptions {
  const section = ensureSection(document, 'supervisord', { file: '', line: 0 });
  reader.warnUnknown(section, [supervisordOptions]);
  const view = reader.open(section, [document.defaults]);
  const options = reader.read(view, supervisordOptions, null);
  checkDelay(view, options);
  checkLogFiles(view, { option: 'logfile', targets: options.logfile, mkdir: options.logfile_mkdir }, context);
  if (view.find('environment')?.value.includes('%%%%') === true) view.warn('environment', DOUBLED_PERCENT);
  return {
    ...options,
    childlogdir: view.isSet('childlogdir') ? options.childlogdir : (temporaryDirectory(source) ?? options.childlogdir),
    // The defaults are names in the current working directory. A daemon leaves that directory.
    logfile: options.logfile.map((target) =>
      target.kind === 'file' ? { ...target, path: posix.resolve(source.cwd, target.path) } : target,
    ),
    pidfile: options.pidfile === null ? null : posix.resolve(source.cwd, options.pidfile),
  };
}

/** Reports a shutdown_delay that leaves no time to stop the programs. */
function checkDelay(view: SectionView, options: SupervisordOptions): void {
  const { shutdown_delay: delay } = options;
  for (const name of ['stop_budget', 'shutdown_timeout'] as const) {
    const limit = options[name];
    if (delay === 0 || limit === null || limit > delay) continue;
    view.error(
      'shutdown_delay',
      `is not below ${name} (${limit} s), which it is part of: the programs would be killed without a stop`,
    );
  }
}

/** Returns the directory for temporary files that the environment names; null if there is none. */
function temporaryDirectory(source: Source): string | null {
  const { env } = source;
  const named = env.TMPDIR ?? env.TEMP ?? env.TMP;
  return named !== undefined && source.isDirectory(named) ? named : null;
}
