/**
 * Carries out actions: requests to the supervisor, whose results become messages. Several actions may be under way. A
 * restart is a stop and a start, so it must be finished even if the view has ended.
 */
import { faults, RpcFault } from '../../core/faults.ts';
import { formatNamespec, parseNamespec } from '../../core/namespec.ts';
import { showText } from '../../core/shown-text.ts';
import { isStruct, type XmlRpcStruct, type XmlRpcValue } from '../../rpc/xmlrpc.ts';
import { InterruptError } from '../errors.ts';
import type { Call } from '../supervisor-client.ts';
import type { Action, Message, Target } from './state.ts';

/** Pause between two looks at the health of a process, in milliseconds. */
const HEALTH_INTERVAL_MS = 500;

const TEXT_LENGTH = 200;

/** The parts that actions need. */
export interface ActionParts {
  readonly call: Call;
  readonly explain: (error: unknown) => string;
  readonly show: (message: Message) => void;
  readonly pause: (ms: number) => Promise<void>;
}

/** Faults that mean that there was nothing to do. */
const HARMLESS: ReadonlySet<number> = new Set([faults.SUCCESS, faults.ALREADY_STARTED, faults.NOT_RUNNING]);

function textOf(struct: XmlRpcStruct, name: string): string {
  const value = struct[name];
  return typeof value === 'string' ? showText(value, TEXT_LENGTH) : '';
}

/** The actions of one run of the view. */
export class Actions {
  readonly #parts: ActionParts;
  readonly #running = new Map<Promise<void>, string>();
  #isEnding = false;

  constructor(parts: ActionParts) {
    this.#parts = parts;
  }

  /** The restarts that are not finished: `restart of web`. */
  get unfinished(): readonly string[] {
    return [...this.#running.values()];
  }

  /** Begins an action. Its results are shown as messages. */
  begin(action: Action): void {
    const { name } = action.target;
    const running = this.#run(action).catch((error: unknown) => {
      if (!(error instanceof InterruptError)) this.#show(`${name}: ${this.#parts.explain(error)}`, 'bad');
    });
    if (action.kind === 'restart' || action.kind === 'rolling') {
      this.#running.set(running, `restart of ${name}`);
      void running.then(() => this.#running.delete(running));
    }
  }

  /** Resolves when no process is between its stop and its start. A rolling restart ends before its next process. */
  async finish(): Promise<void> {
    this.#isEnding = true;
    await Promise.all(this.#running.keys());
  }

  #show(text: string, tone: Message['tone']): void {
    this.#parts.show({ text, tone });
  }

  async #run(action: Action): Promise<void> {
    const { target } = action;
    switch (action.kind) {
      case 'start':
        this.#report(await this.#call('supervisor.startProcess', target, false), `${target.name}: start requested`);
        return;
      case 'stop':
        this.#report(await this.#call('supervisor.stopProcess', target, false), `${target.name}: stop requested`);
        return;
      case 'signal':
        this.#report(
          await this.#call('supervisor.signalProcess', target, action.signal),
          `${target.name}: ${action.signal} was sent`,
        );
        return;
      case 'restart':
        this.#show(`${target.name}: stopping, to be started again`, 'busy');
        await this.#ignoring(faults.NOT_RUNNING, () => this.#call('supervisor.stopProcess', target, true));
        this.#report(await this.#call('supervisor.startProcess', target, false), `${target.name}: restarted`);
        return;
      case 'rolling':
        await this.#restartInTurn(target);
    }
  }

  #call(method: string, { request }: Target, parameter: XmlRpcValue): Promise<XmlRpcValue> {
    return this.#parts.call(method, request, parameter);
  }

  async #ignoring(fault: number, call: () => Promise<XmlRpcValue>): Promise<void> {
    try {
      await call();
    } catch (error) {
      if (!(error instanceof RpcFault) || error.code !== fault) throw error;
    }
  }

  /** Shows the answer of a method: of a group it has a result for each process. */
  #report(answer: XmlRpcValue, success: string): void {
    const results = Array.isArray(answer) ? (answer as readonly XmlRpcValue[]).filter(isStruct) : [];
    const failed = results.filter(({ status }) => typeof status === 'number' && !HARMLESS.has(status));
    if (failed.length === 0) {
      this.#show(success, 'good');
      return;
    }
    const texts = failed.map((result) => {
      const text = textOf(result, 'reason') || textOf(result, 'description');
      return `${formatNamespec(textOf(result, 'group'), textOf(result, 'name'))}: ${text}`;
    });
    this.#show(texts.join('; '), 'bad');
  }

  /** Restarts one process after the other, and stops at the first that does not come up or is not healthy. */
  async #restartInTurn({ name, ids }: Target): Promise<void> {
    for (const [index, id] of ids.entries()) {
      if (this.#isEnding) return;
      const { group, process: proc } = parseNamespec(id);
      const shown = formatNamespec(group, proc ?? '');
      this.#show(`rolling restart of ${name}: ${index + 1} of ${ids.length}, ${shown}`, 'busy');
      const problem = await this.#restartOne(id);
      if (problem !== null) {
        this.#show(`rolling restart of ${name} stopped at ${shown}: ${problem}`, 'bad');
        return;
      }
    }
    this.#show(`rolling restart of ${name}: all ${ids.length} processes are up`, 'good');
  }

  /** Restarts a process and waits until it is up, and healthy if it has a check. Returns what went wrong; or null. */
  async #restartOne(id: string): Promise<string | null> {
    const { call, explain, pause } = this.#parts;
    await this.#ignoring(faults.NOT_RUNNING, () => call('supervisor.stopProcess', id, true));
    try {
      await this.#ignoring(faults.ALREADY_STARTED, () => call('supervisor.startProcess', id, true));
    } catch (error) {
      if (!(error instanceof RpcFault)) throw error;
      return explain(error);
    }
    while (!this.#isEnding) {
      const info = await call('supervisor.getProcessInfo', id);
      const health = isStruct(info) ? info['health'] : undefined;
      if (health === 'unhealthy') return 'it is not healthy';
      if (health !== 'starting') return null;
      await pause(HEALTH_INTERVAL_MS);
    }
    return null;
  }
}
