/** Ends of the programs that `--until-exit` waits for, and the exit code of the first one that failed. */
import { ProcessState, STOPPED_STATES } from '../../core/states.ts';
import { isStruct, type XmlRpcValue } from '../../rpc/xmlrpc.ts';
import type { ProcessInfo, SupervisorClient } from '../supervisor-client.ts';
import type { Entry } from './entry.ts';
import { exitCodeOfRun, NOT_EXECUTED } from './exit-code.ts';

const STOPPED: ReadonlySet<number> = new Set([...STOPPED_STATES].map((name) => ProcessState[name]));

/** The programs of one run of `logs`. */
export class ExitWatch {
  readonly #processes: readonly ProcessInfo[];
  readonly #waiting: Set<string>;
  #exitCode = 0;

  constructor(processes: readonly ProcessInfo[]) {
    this.#processes = processes;
    this.#waiting = new Set(processes.map(idOf));
  }

  /** True if every program has ended. */
  get isDone(): boolean {
    return this.#waiting.size === 0;
  }

  /** Exit code of the first program that has failed; 0 if none has. */
  get exitCode(): number {
    return this.#exitCode;
  }

  /**
   * Looks for ends up to now: the latest one of a program that did not run, and the first one after the number `seq` of
   * the others. They came before there was anything to follow.
   */
  async lookBack(client: Pick<SupervisorClient, 'getRuns'>, seq: number): Promise<void> {
    const ends: Array<{ readonly id: string; readonly seq: number; readonly exitCode: number }> = [];
    for (const proc of this.#processes) {
      const id = idOf(proc);
      const ended = (await client.getRuns(id)).flatMap(({ end }) => end ?? []);
      const end = STOPPED.has(proc.state) ? ended.at(-1) : ended.find((one) => one.seq > seq);
      if (end !== undefined) ends.push({ id, ...end });
      // A program that has never run will not end.
      else if (STOPPED.has(proc.state)) this.#note(id, proc.state === ProcessState.FATAL ? NOT_EXECUTED : 0);
    }
    for (const { id, exitCode } of ends.toSorted((a, b) => a.seq - b.seq)) this.#note(id, exitCode);
  }

  /** Notes the ends among entries. */
  note(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.kind !== 'event') continue;
      const end = entry.members['end'] as XmlRpcValue | undefined;
      if (end !== undefined && isStruct(end)) this.#note(entry.name, exitCodeOfRun(end));
      // A command that was not found has no run.
      else if (entry.members['to'] === 'FATAL') this.#note(entry.name, NOT_EXECUTED);
    }
  }

  #note(id: string, exitCode: number): void {
    if (this.#waiting.delete(id) && this.#exitCode === 0) this.#exitCode = exitCode;
  }
}

function idOf({ group, name }: ProcessInfo): string {
  return `${group}:${name}`;
}
