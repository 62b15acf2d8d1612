/**
 * Checks the events of `GET /api/v1/stream`: only transitions of the state machine, each run with one end, no pid twice
 * among living programs, and no event twice or out of order.
 */
import { findTransitions } from '../../build/diagram.ts';
import type { StreamMessage } from '../e2e/event-stream.ts';

/** A process as its events tell. */
interface Process {
  state: string;
  run: number;
  /** True from STARTING to the end of the run. */
  isOpen: boolean;
  pid: number | null;
}

/** An event of a state, as it comes. */
interface StateEvent {
  readonly kind: string;
  readonly seq: number;
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly run: number;
  readonly pid?: number;
  readonly end?: { readonly outcome: string };
  readonly group?: string;
  readonly change?: string;
}

const LEGAL: ReadonlySet<string> = new Set(findTransitions().map(({ from, to }) => `${from} ${to}`));
const MAX_VIOLATIONS = 20;

/** See the file header. */
export class EventCheck {
  readonly violations: string[] = [];
  /** Runs that began, by process. */
  readonly starts = new Map<string, number>();
  /** Runs without an executed program, by process. */
  readonly notExecuted = new Map<string, number>();
  /** Runs that ended with a signal, of all processes. */
  signalled = 0;
  readonly transitions = new Map<string, number>();
  readonly #processes = new Map<string, Process>();
  readonly #pids = new Map<number, string>();
  #lastSeq = 0;
  /** Latest messages about each process, for a report. */
  readonly #recent = new Map<string, string[]>();

  get runs(): number {
    return [...this.starts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Names of processes that have a run. */
  get open(): readonly string[] {
    return [...this.#processes].filter(([, { isOpen }]) => isOpen).map(([name]) => name);
  }

  take({ event, data }: StreamMessage): void {
    if (event === 'reset') this.violate('the position of the client was lost');
    if (event !== 'delta' && event !== 'snapshot') return;
    for (const each of (data.events ?? []) as readonly StateEvent[]) this.#takeEvent(each);
  }

  violate(text: string): void {
    if (this.violations.length < MAX_VIOLATIONS) this.violations.push(`events: ${text}`);
  }

  #takeEvent(event: StateEvent): void {
    if (event.seq <= this.#lastSeq) this.violate(`event ${event.seq} came after event ${this.#lastSeq}`);
    this.#lastSeq = event.seq;
    if (event.kind === 'state') this.#takeState(event);
    if (event.kind === 'group' && event.change === 'removed') this.#removeGroup(event.group ?? '');
  }

  #removeGroup(group: string): void {
    for (const [name, { isOpen }] of this.#processes) {
      if (name !== group && !name.startsWith(`${group}:`)) continue;
      if (isOpen) this.violate(`${name} was removed while it ran`);
      this.#processes.delete(name);
    }
  }

  #takeState({ name, from, to, run, pid, end, seq }: StateEvent): void {
    const text = `${seq} ${from} -> ${to} run ${run} pid ${pid ?? '-'}${end === undefined ? '' : ` ${end.outcome}`}`;
    const recent = this.#recent.get(name) ?? [];
    recent.push(text);
    if (recent.length > 8) recent.shift();
    this.#recent.set(name, recent);
    const violate = (what: string): void => this.violate(`${name}: ${what}; latest: ${recent.join(', ')}`);
    this.transitions.set(`${from} ${to}`, (this.transitions.get(`${from} ${to}`) ?? 0) + 1);
    if (!LEGAL.has(`${from} ${to}`)) violate('the state machine has no such transition');
    let known = this.#processes.get(name);
    // A process of that name was removed and added since, by an update, a change of its number, or a reload.
    if (known?.isOpen === false && from === 'STOPPED' && to === 'STARTING' && run === 1) known = undefined;
    if (known !== undefined && known.state !== from) violate(`it was in ${known.state}`);
    const now = known ?? { state: from, run: run - (to === 'STARTING' ? 1 : 0), isOpen: false, pid: null };
    if (to === 'STARTING') {
      if (now.isOpen) violate('a run began before the end of the one before');
      if (run !== now.run + 1) violate(`run ${run} came after run ${now.run}`);
      now.isOpen = true;
      this.starts.set(name, (this.starts.get(name) ?? 0) + 1);
    } else if (run !== now.run) violate(`it was in run ${now.run}`);
    now.state = to;
    now.run = run;
    if (pid !== undefined) this.#learnPid(name, now, pid, violate);
    if (end !== undefined) this.#endRun(name, now, end.outcome, violate);
    this.#processes.set(name, now);
  }

  #learnPid(name: string, now: Process, pid: number, violate: (what: string) => void): void {
    if (now.pid !== null && now.pid !== pid) violate(`its pid changed from ${now.pid}`);
    if (!now.isOpen) return;
    const owner = this.#pids.get(pid);
    if (owner !== undefined && owner !== name) violate(`${owner} has the same pid`);
    now.pid = pid;
    this.#pids.set(pid, name);
  }

  #endRun(name: string, now: Process, outcome: string, violate: (what: string) => void): void {
    if (!now.isOpen) violate('a run ended twice');
    if (outcome === 'not_executed') this.notExecuted.set(name, (this.notExecuted.get(name) ?? 0) + 1);
    if (outcome === 'signaled') this.signalled += 1;
    if (now.pid !== null) this.#pids.delete(now.pid);
    now.isOpen = false;
    now.pid = null;
  }
}
