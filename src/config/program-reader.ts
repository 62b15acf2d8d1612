/**
 * Reads one `[program:x]`, `[eventlistener:x]` or `[fcgi-program:x]` into its processes. Groups are made in groups.ts;
 * dependencies between programs are resolved in dependencies.ts. Pure.
 */
import {
  noteRefusedTimes,
  reportIdleFailure,
  reportIdleOptions,
  reportLostParameters,
  reportShellSyntax,
} from './advice.ts';
import type { Context } from './datatype.ts';
import type { Document, RawOption, RawSection } from './dialect.ts';
import { checkListenerOptions, reportKnownListener } from './listener-options.ts';
import type { Scale } from './find-files.ts';
import type { ProcessConfig, ProcessOptions, OptionPlaces } from './model.ts';
import type { Subject } from './names.ts';
import type { Table } from './option.ts';
import {
  type EventListenerOptions,
  type FcgiProgramOptions,
  fcgiOptions,
  listenerOptions,
  programOptions,
  type SupervisordOptions,
} from './options.ts';
import { Problems } from './problems.ts';
import { applyProcessRules } from './process-rules.ts';
import type { ProcfilePrograms } from './procfile.ts';
import { findBadCharacter, type ProcessType, readProgramName } from './section-names.ts';
import { SectionReader } from './section-reader.ts';
import type { SectionView } from './section-view.ts';
import { splitStartCommand } from './start-command.ts';

/** Settings that are the same for all programs of a configuration. */
export interface ProgramContext {
  readonly document: Document;
  readonly reader: SectionReader;
  readonly problems: Problems;
  readonly context: Context;
  /** PATH of the supervisor. */
  readonly path: string | undefined;
  readonly isContainer: boolean;
  readonly supervisord: SupervisordOptions;
  /** Further options of the programs of a Procfile. */
  readonly procfile: ProcfilePrograms;
  /** Programs that clients have scaled, by name. */
  readonly scales: ReadonlyMap<string, Scale>;
  /** Options that listeners of the configuration, known plug-ins, read from the sections of programs. */
  readonly pluginOptions: readonly string[];
}

/** A section that makes processes. */
export interface ProgramSection {
  readonly section: RawSection;
  readonly type: ProcessType;
  /** Group that the processes belong to. */
  readonly group: string;
  /** True if a FastCGI program must have a socket. compat: in a `[group:x]`, Supervisor reads no option of a socket. */
  readonly needsSocket: boolean;
}

/** Numbers of the processes of one program. */
interface NumberRange {
  readonly first: number;
  readonly count: number;
  /** `numprocs` of the configuration if the program is scaled; null otherwise. */
  readonly scaledFrom: number | null;
}

/** Section of a FastCGI program, and the reader of its socket. */
type SocketSource = Pick<ProgramContext, 'reader'> & { readonly view: SectionView };

/** Limit of numprocs. Linux has 32768 pids by default; without a limit, a mistyped number would fill the memory. */
const MAX_PROCESSES = 32_768;

/** Tables of the options that only one type of section has. */
const OWN_TABLES: Readonly<Record<ProcessType, readonly Table[]>> = {
  program: [],
  eventlistener: [listenerOptions],
  'fcgi-program': [fcgiOptions],
};

const NO_SOCKET = 'a FastCGI program of a [group:x] has no socket then, as in Supervisor';

/** The options that are read after `environment`. */
const { environment: environmentRow, ...OTHER_OPTIONS } = programOptions;
const ENVIRONMENT = { environment: environmentRow };

/** The options that tell the number of processes. */
const NUMBERS = { numprocs: programOptions.numprocs, numprocs_start: programOptions.numprocs_start };

/** Shared by the many processes without. */
const NO_DEPENDENCIES: ProcessConfig['dependsOn'] = [];
const NO_STREAMS: ProcessConfig['echoed'] = [];

/** Options that do not depend on the number of a process. They are checked even if the program has no process. */
const SHARED_OPTIONS: Table = Object.fromEntries(
  Object.entries(programOptions).filter(([, { scope }]) => scope !== 'process'),
);

/** Returns the sections that a section of a type falls back to: event listeners have no [program-default]. */
export function fallbacksOf(document: Document, type: ProcessType): ReadonlyArray<RawSection['options'] | undefined> {
  const defaults = type === 'eventlistener' ? undefined : document.sections.get('program-default')?.options;
  return [defaults, document.defaults];
}

/** Reads the processes of one section. */
export class ProgramReader {
  readonly #context: ProgramContext;
  readonly #source: ProgramSection;
  /** The section with a `process_name`, which is not expanded yet. */
  readonly #view: SectionView;
  readonly #numbers: NumberRange;
  /** The program without a process number. */
  readonly #subject: Subject;
  readonly #places: OptionPlaces;

  constructor(context: ProgramContext, source: ProgramSection) {
    this.#context = context;
    this.#source = source;
    const { reader, document, problems } = context;
    const { section, type, group } = source;
    const program = readProgramName(section, problems);
    this.#subject = { program, group, number: null, count: 0, environment: new Map() };
    reader.warnUnknown(section, [programOptions, ...OWN_TABLES[type]], context.pluginOptions);
    const view = reader.open(section, fallbacksOf(document, type));
    this.#places = view.places();
    this.#numbers = this.#readNumbers(view);
    this.#view = this.#withProcessName(view);
  }

  /** Returns the processes in the order of their numbers. */
  read(): ProcessConfig[] {
    const listener = this.#readListenerOptions();
    const { first, count } = this.#numbers;
    if (count < 1) {
      this.#view.warn('numprocs', 'is below 1, so this program has no process');
      this.#context.reader.read(this.#view, SHARED_OPTIONS, this.#subject);
      this.#readSocket(this.#subject);
      return [];
    }
    const processes: ProcessConfig[] = [];
    while (processes.length < count && this.#context.reader.canReadMore(this.#view))
      processes.push(this.#readProcess(first + processes.length, listener));
    return processes;
  }

  #readNumbers(view: SectionView): NumberRange {
    const { numprocs: count, numprocs_start: first } = this.#context.reader.read(view, NUMBERS, this.#subject);
    if (count > MAX_PROCESSES) {
      view.error('numprocs', `is above the limit of ${MAX_PROCESSES}`);
      return { first, count: 1, scaledFrom: null };
    }
    const scale = this.#source.type === 'program' ? this.#context.scales.get(this.#subject.program) : undefined;
    const isScaled = scale?.configured === count;
    return { first, count: isScaled ? scale.count : count, scaledFrom: isScaled ? count : null };
  }

  /** Returns the section with a `process_name`. The text is checked before it is expanded: numprocs needs a number. */
  #withProcessName(view: SectionView): SectionView {
    const { count } = this.#numbers;
    const isProcfile = this.#context.procfile.ports.has(this.#subject.program);
    const fallback = isProcfile && count > 1 ? '%(program_name)s.%(process_num)d' : programOptions.process_name.default;
    const raw = view.find('process_name');
    const value = raw?.value ?? fallback;
    const bad = findBadCharacter(value.replace(/%\([^()]*\)/g, ''));
    if (bad !== null) view.error('process_name', `the name must not contain "${bad}"`);
    if (count > 1 && !value.includes('%(process_num)')) {
      view.error(
        'process_name',
        'must contain %(process_num) when numprocs is above 1, for example ' +
          'process_name=%(program_name)s_%(process_num)02d',
      );
    }
    const option: RawOption = { here: '/', literal: false, ...raw, value, place: view.placeOf('process_name') };
    return view.with('process_name', option);
  }

  /** Reads the options that only event listeners have. */
  #readListenerOptions(): Partial<EventListenerOptions> {
    if (this.#source.type !== 'eventlistener') return {};
    return checkListenerOptions(this.#view, this.#context.reader.read(this.#view, listenerOptions, this.#subject));
  }

  /** Reads the options that only FastCGI programs have. */
  #readSocket(subject: Subject): Partial<FcgiProgramOptions> {
    const { reader, problems, context, isContainer } = this.#context;
    const view = this.#view;
    const { type, needsSocket } = this.#source;
    if (type !== 'fcgi-program') return {};
    if (needsSocket) return this.#readSocketOptions({ view, reader }, subject);
    if (!view.isSet('socket')) return {};
    const own = new Problems();
    const lenient = { view: view.reportTo(own), reader: new SectionReader(own, context, isContainer, reader.names) };
    const options = this.#readSocketOptions(lenient, subject);
    for (const { file, line, section, option, reason } of own.errors)
      problems.warn({ file, line }, section, option, `${reason}; ${NO_SOCKET}`);
    for (const { file, line, section, option, reason } of own.warnings)
      problems.warn({ file, line }, section, option, reason);
    return own.errors.length > 0 ? {} : options;
  }

  #readSocketOptions({ view, reader }: SocketSource, subject: Subject): FcgiProgramOptions {
    const options = reader.read(view, fcgiOptions, subject);
    const { socket, socket_owner: owner, socket_mode: mode } = options;
    for (const [name, value] of Object.entries({ socket_owner: owner, socket_mode: mode })) {
      if (socket.kind === 'tcp' && value !== null)
        view.error(name, 'is for unix sockets only; remove it, or use a unix socket (unix:///path)');
    }
    return options;
  }

  #readProcess(number: number, listener: Partial<EventListenerOptions>): ProcessConfig {
    const { program, group } = this.#subject;
    const { type } = this.#source;
    const view = this.#view;
    const options: ProcessOptions = { ...listener, ...this.#readOptions(number) };
    if (!options.process_name.isWellFormed())
      view.error('process_name', 'has bytes that are not UTF-8; a name must be text');
    const proc: ProcessConfig = {
      name: options.process_name,
      group,
      program,
      number,
      type,
      options,
      ...splitStartCommand(view, options.command),
      dependsOn: NO_DEPENDENCIES,
      echoed: NO_STREAMS,
      scaledFrom: this.#numbers.scaledFrom,
      place: view.placeOf('command'),
      listenPlace: view.placeOf('listen'),
      optionPlaces: this.#places,
    };
    const { host } = this.#context.context;
    if (type === 'eventlistener') reportKnownListener(proc, view, { host, path: this.#context.path });
    return proc;
  }

  /** Reads the options of one process and applies the rules between them. */
  #readOptions(number: number): ProcessOptions {
    const { reader, supervisord, isContainer, context } = this.#context;
    const view = this.#view;
    const subject = { ...this.#subject, number, count: this.#numbers.count };
    // Read first, because the other options of the process can use these variables.
    const environment = this.#readEnvironment(subject);
    const read = reader.read(view, OTHER_OPTIONS, { ...subject, environment });
    const options = applyProcessRules(
      { view, type: this.#source.type, isContainer, supervisord, context },
      // Processes without variables of their own share one map.
      {
        ...read,
        environment:
          environment.size === 0 ? supervisord.environment : new Map([...supervisord.environment, ...environment]),
      },
    );
    reportShellSyntax(view, options);
    reportIdleOptions(view, options);
    reportIdleFailure(view, options);
    noteRefusedTimes(view, options);
    reportLostParameters(view, options);
    return { ...options, ...this.#readSocket({ ...subject, environment }) };
  }

  /** Reads the variables of the program's own section. Processes of a Procfile have those of its .env, and a PORT. */
  #readEnvironment(subject: Subject & { readonly number: number }): ReadonlyMap<string, string> {
    const { reader, procfile } = this.#context;
    const { environment } = reader.read(this.#view, ENVIRONMENT, subject);
    const base = procfile.ports.get(subject.program);
    if (base === undefined) return environment;
    const port = base + subject.number - this.#numbers.first;
    return new Map([...procfile.variables, ['PORT', String(port)], ...environment]);
  }
}
