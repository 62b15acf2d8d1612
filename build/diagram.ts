/**
 * The diagram of the states of a process, drawn from the table of the state machine. The table is applied to every
 * state, every input, and every policy that matters. docs.ts puts the text into src/ARCHITECTURE.md.
 */
import { parseWaitStatus } from '../src/core/exit-status.ts';
import { step } from '../src/core/process-machine.ts';
import {
  type Circumstances,
  initialRecord,
  type ProcessEffect,
  type ProcessInput,
  type ProcessPolicy,
  type ProcessRecord,
} from '../src/core/process-record.ts';
import { processStateNames, type ProcessStateName, SIGNALLABLE_STATES } from '../src/core/states.ts';
import { policyOf } from '../src/engine/policy.ts';
import { sampleProgram } from './sample-program.ts';
import type { Cause } from '../src/core/cause.ts';

const NOW_MS = 100_000;
const BOOT: Cause = { kind: 'boot' };

/** Inputs that stand for all of their type, with their labels in the diagram. */
const inputs: ReadonlyArray<readonly [label: string, input: ProcessInput]> = [
  ['start', { type: 'start', atMs: NOW_MS, cause: BOOT }],
  ['stop', { type: 'stop', atMs: NOW_MS, cause: BOOT }],
  ['kill', { type: 'kill', atMs: NOW_MS, cause: BOOT }],
  ['spawned', { type: 'spawned', atMs: NOW_MS, run: 1, pid: 8 }],
  ['spawn failed', { type: 'spawnFailed', atMs: NOW_MS, run: 1, reason: '', exitCode: 127 }],
  ['exited', { type: 'exited', atMs: NOW_MS, run: 1, status: parseWaitStatus(0) }],
  ['exited, unexpected', { type: 'exited', atMs: NOW_MS, run: 1, status: parseWaitStatus(1 << 8) }],
  ['deadline', { type: 'elapsed', atMs: NOW_MS }],
  ['restart', { type: 'restart', atMs: NOW_MS, cause: BOOT }],
  ['cannot be signalled', { type: 'signalFailed', atMs: NOW_MS, run: 1, code: 'EPERM' }],
];

/** Policies that together reach every transition, from the options that make them. */
const policies: readonly ProcessPolicy[] = [
  sampleProgram(),
  sampleProgram('startsecs=0'),
  sampleProgram('startretries=0'),
  sampleProgram('oneshot=true'),
  sampleProgram('max_restarts=0'),
].map(policyOf);

const circumstances: readonly Circumstances[] = [true, false].map((mayRestart) => ({
  mayRestart,
  hold: null,
  knownStartsMs: null,
  newRuns: ['db'],
  chance: 0,
}));

/** Returns possible records of a state: before and after the spawn, with a deadline that is due or not. */
function recordsIn(state: ProcessStateName): ProcessRecord[] {
  const isUp = SIGNALLABLE_STATES.has(state) || state === 'UNKNOWN';
  const base: ProcessRecord = { ...initialRecord, state, run: 1, pid: isUp ? 7 : null, startedMs: isUp ? 0 : null };
  const due = { ...base, deadlineMs: NOW_MS };
  const early = { ...base, deadlineMs: NOW_MS + 1, startedMs: isUp ? NOW_MS - 1 : null };
  if (!isUp || state === 'UNKNOWN' || state === 'RUNNING') return [base, due, early];
  const isStopping = state === 'STOPPING';
  return [
    due,
    early,
    { ...early, pid: null, deadlineMs: null },
    { ...early, hasStartFailed: isStopping },
    { ...early, isStartPending: isStopping },
  ];
}

/** Applies every input to every record of a state, under every policy. */
function effectsIn(state: ProcessStateName): ReadonlyArray<readonly [label: string, effect: ProcessEffect]> {
  return recordsIn(state).flatMap((record) =>
    inputs.flatMap(([label, input]) =>
      policies.flatMap((policy) =>
        circumstances.flatMap((each) =>
          step(record, input, policy, each).effects.map((effect) => [label, effect] as const),
        ),
      ),
    ),
  );
}

/** A change of state that the table allows, with the label of an input that leads to it. */
export interface TableTransition {
  readonly from: ProcessStateName;
  readonly to: ProcessStateName;
  readonly label: string;
}

/** Finds all changes of state that the table allows. */
export function findTransitions(): readonly TableTransition[] {
  return processStateNames.flatMap((state) =>
    effectsIn(state).flatMap(([label, effect]) =>
      effect.type === 'stateChanged' ? [{ from: effect.from, to: effect.to, label }] : [],
    ),
  );
}

/** Draws the diagram as Mermaid text: one line per pair of states, with all inputs that lead from one to the other. */
export function drawTransitions(): string {
  const edges = new Map<string, Set<string>>();
  for (const { from, to, label } of findTransitions()) {
    const edge = `${from} --> ${to}`;
    edges.set(edge, (edges.get(edge) ?? new Set()).add(label));
  }
  const order = (edge: string): number => {
    const [from = '', to = ''] = edge.split(' --> ');
    return processStateNames.indexOf(from as ProcessStateName) * 10 + processStateNames.indexOf(to as ProcessStateName);
  };
  const lines = [...edges]
    .toSorted(([a], [b]) => order(a) - order(b))
    .map(([edge, labels]) => `    ${edge}: ${[...labels].join(' / ')}`);
  return ['stateDiagram-v2', '    [*] --> STOPPED', ...lines].join('\n');
}
