/** Reads the configuration again for `reread`, `update` and a restart, and reports its warnings. Applies nothing. */
import { dirname } from 'node:path';
import type { Scale } from '../config/find-files.ts';
import type { Config, Problem, ProcessConfig, Reading } from '../config/model.ts';
import { formatProblem, isNote } from '../config/problems.ts';
import type { LogFields } from '../core/log-fields.ts';
import type { Message } from '../engine/messages.ts';
import type { Report } from '../engine/ports.ts';
import type { PathProbe } from '../files/path-probe.ts';
import { ACCOUNTS } from '../process/start-paths.ts';

/** A configuration that is invalid. */
export interface Unread {
  readonly config: null;
  /** The errors, one line each. */
  readonly problems: readonly string[];
  readonly errors: readonly Problem[];
}

/** Result of reading the configuration again. */
export type Reread = { readonly config: Config } | Unread;

/** Programs that clients have scaled, by name. */
export type Scales = ReadonlyMap<string, Scale>;

/** The reading of the configuration, as the groups use it. */
export type ConfigurationReader = Pick<ConfigReader, 'reach' | 'reread' | 'peek' | 'scales' | 'setScales'>;

/** Parts of a {@link ConfigReader}. */
export interface ReaderParts {
  readonly report: Report;
  readonly probe: Pick<PathProbe, 'look'>;
}

/** Reads the configuration again, and reports only warnings that the previous reading did not have. */
export class ConfigReader {
  readonly #read: (scales: Scales) => Reading;
  readonly #report: Report;
  readonly #probe: Pick<PathProbe, 'look'>;
  /** The files of the latest valid reading, as patterns. */
  #sources: readonly string[];
  /** Files with passwords, which a reading reads too. */
  #passwords: readonly string[];
  #warnings: readonly Problem[];
  /** Programs that clients have scaled, by name. */
  #scales: Scales = new Map();

  /** `first` is the reading that the supervisor starts with. */
  constructor(read: (scales: Scales) => Reading, first: Reading, { report, probe }: ReaderParts) {
    this.#read = read;
    this.#report = report;
    this.#probe = probe;
    this.#sources = first.config?.sources ?? [];
    this.#passwords = passwordFilesOf(first.config);
    this.#warnings = first.warnings;
  }

  /** Formats the warnings of the first reading. */
  firstWarnings(): Message[] {
    return this.#warnings.map(toMessage);
  }

  /** The programs that clients have scaled. */
  get scales(): Scales {
    return this.#scales;
  }

  /** Replaces the scaled programs for the readings that follow. */
  setScales(scales: Scales): void {
    this.#scales = scales;
  }

  /**
   * Calls `act` with null when the files of the latest reading answer: before it returns, if they are local. If their
   * file system does not answer, calls it with that problem: a reading would wait for it, and PID 1 with it. Comes
   * before each reading while programs run. Resolves with the result, and rejects if `act` throws.
   */
  reach<T>(act: (unread: Unread | null) => T): Promise<T> {
    // As an async function, so that an error of `act` becomes a rejection. It runs at once.
    const run = async (reason: string | null): Promise<T> => act(reason === null ? null : unreached(reason));
    const paths = (): string[] => [...ACCOUNTS, ...this.#sources.map(placeOf), ...this.#passwords];
    return new Promise((resolve) => {
      this.#probe.look(paths, (reason) => resolve(run(reason)));
    });
  }

  /** Reads the configuration again. A scaled program whose `numprocs` has changed is no longer scaled. */
  reread(): Reread {
    const reading = this.#read(this.#scales);
    if (reading.config !== null) {
      this.#sources = reading.config.sources;
      this.#passwords = passwordFilesOf(reading.config);
      this.#dropScales(reading.config);
    }
    const before = new Set(this.#warnings.map(formatProblem));
    this.#warnings = reading.warnings;
    for (const warning of this.#warnings) if (!before.has(formatProblem(warning))) this.#report(...toMessage(warning));
    return outcomeOf(reading);
  }

  /** Reads the configuration as {@link reread} does. Reports nothing, and keeps the scaled programs. */
  peek(): Reread {
    return outcomeOf(this.#read(this.#scales));
  }

  #dropScales({ groups }: Config): void {
    const scaled = new Set(
      groups.flatMap(({ processes }) => processes.filter(({ scaledFrom }) => scaledFrom !== null)).map(programOf),
    );
    const dropped = [...this.#scales.keys()].filter((program) => !scaled.has(program));
    if (dropped.length === 0) return;
    this.#scales = new Map([...this.#scales].filter(([program]) => scaled.has(program)));
    for (const program of dropped)
      this.#report('info', `'${program}' is scaled no more: numprocs of the configuration has changed`, {
        event: 'updated',
      });
  }
}

function passwordFilesOf(config: Config | null): string[] {
  return (config?.apiUsers ?? []).flatMap(({ options: { password_file: file } }) => (file === null ? [] : [file]));
}

function unreached(reason: string): Unread {
  const error: Problem = { file: '', line: 0, section: '', option: null, reason: `cannot read the files: ${reason}` };
  return { config: null, problems: [formatProblem(error)], errors: [error] };
}

/** Returns the path of a file, or of the directory where the names of a pattern are looked up. */
function placeOf(pattern: string): string {
  const wildcard = pattern.search(/[*?[]/);
  return wildcard === -1 ? pattern : dirname(`${pattern.slice(0, wildcard)}x`);
}

function outcomeOf({ config, errors }: Reading): Reread {
  return config === null ? { config, problems: errors.map(formatProblem), errors } : { config };
}

function programOf({ program }: ProcessConfig): string {
  return program;
}

function toMessage(problem: Problem): Message {
  const text = formatProblem(problem);
  return [isNote(text) ? 'info' : 'warn', text, problemFields(problem)];
}

/** Returns the fields of the line about a problem. */
export function problemFields({ file, line, section, option }: Problem): LogFields {
  return {
    event: 'configuration',
    ...(file === '' ? {} : { file }),
    ...(line === 0 ? {} : { line }),
    ...(section === '' ? {} : { section }),
    ...(option === null ? {} : { option }),
  };
}
