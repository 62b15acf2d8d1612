/**
 * Names that can be expanded: the environment everywhere, other names by the scope of an option (option.ts). Pure.
 */
import type { Names } from './expand.ts';
import type { Scope } from './option.ts';

/** Program or process whose options are read. */
export interface Subject {
  readonly program: string;
  readonly group: string;
  /** Number of the process; null while the options of the whole program are read. */
  readonly number: number | null;
  readonly count: number;
  /** The process's own `environment`, once it is known. */
  readonly environment: ReadonlyMap<string, string>;
}

/** The names of each scope, in Supervisor's order: variables of the environment come first. */
export class NameSpace {
  readonly #environment: Map<string, string>;
  readonly #hostname: string;
  readonly #everywhere: boolean;

  /**
   * @param env - our own environment
   * @param isHereEverywhere - true if there is an `[include]`. compat: `%(here)s` is then replaced in all options
   */
  constructor(env: Readonly<Record<string, string | undefined>>, hostname: string, isHereEverywhere: boolean) {
    this.#environment = new Map(
      Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[`ENV_${name}`, value] as const])),
    );
    this.#hostname = hostname;
    this.#everywhere = isHereEverywhere;
  }

  /** Adds the variables of `[supervisord] environment`. */
  add(variables: ReadonlyMap<string, string>): void {
    for (const [name, value] of variables) this.#environment.set(`ENV_${name}`, value);
  }

  /** True for a variable of our own environment, or of `[supervisord] environment`. */
  hasVariable(name: string): boolean {
    return this.#environment.has(`ENV_${name}`);
  }

  /** Returns the names for `[include] files`, which Supervisor reads before anything else. */
  forInclude(here: string): Names {
    return new Map([...this.#environment, ['here', here], ['host_node_name', this.#hostname]]);
  }

  /** Returns the names for an option of this scope, in a file in the directory `here`. */
  of(scope: Scope, here: string, subject: Subject | null): Names {
    const names = new Map<string, string | number>(this.#environment);
    if (scope !== 'bare' || this.#everywhere) names.set('here', here);
    if (subject === null) return names;
    if (scope === 'program' || scope === 'process')
      names.set('program_name', subject.program).set('host_node_name', this.#hostname).set('group_name', subject.group);
    if (scope === 'process' && subject.number !== null) {
      names.set('process_num', subject.number).set('numprocs', subject.count);
      for (const [name, value] of subject.environment) names.set(`ENV_${name}`, value);
    }
    return names;
  }
}
