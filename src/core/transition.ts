/** A transition of the process machine under construction: the record so far, and the effects in their order. Pure. */
import type {
  Circumstances,
  ProcessEffect,
  ProcessInput,
  ProcessNote,
  ProcessPolicy,
  ProcessRecord,
} from './process-record.ts';
import type { ProcessStateName } from './states.ts';

/** Input of one type. */
export type InputOf<T extends ProcessInput['type']> = Extract<ProcessInput, { readonly type: T }>;

/** Facts of one run. They are reset when the run is over. */
const noFacts = { isReady: false, health: null } as const;

/** The transition that one input causes. Rules change the record and add effects. */
export class Transition {
  record: ProcessRecord;
  readonly effects: ProcessEffect[] = [];
  readonly atMs: number;
  readonly policy: ProcessPolicy;
  readonly circumstances: Circumstances;

  constructor(record: ProcessRecord, atMs: number, policy: ProcessPolicy, circumstances: Circumstances) {
    this.record = record;
    this.atMs = atMs;
    this.policy = policy;
    this.circumstances = circumstances;
  }

  /** Changes the state. This also clears the deadline of the previous state. */
  become(to: ProcessStateName, change: Partial<ProcessRecord> = {}, expected = true): void {
    const from = this.record.state;
    const facts = to === 'RUNNING' || to === 'STOPPING' || to === 'UNKNOWN' ? {} : noFacts;
    const wasUp = this.record.wasUp || to === 'RUNNING';
    this.record = { ...this.record, ...facts, deadlineMs: null, ...change, state: to, wasUp };
    this.effects.push({ type: 'stateChanged', from, to, record: this.record, expected });
  }

  /** Changes other fields of the record, without an event. */
  set(change: Partial<ProcessRecord>): void {
    this.record = { ...this.record, ...change };
  }

  /** Changes a fact that is independent of the state, with its event. */
  setFact(fact: 'ready' | 'health' | 'held', change: Partial<ProcessRecord>): void {
    const from = this.record;
    this.record = { ...from, ...change };
    this.effects.push({ type: 'factChanged', fact, from, record: this.record });
  }

  note(note: ProcessNote): void {
    this.effects.push({ type: 'note', note });
  }

  order(effect: ProcessEffect): void {
    this.effects.push(effect);
  }
}
