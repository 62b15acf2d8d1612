/**
 * Draws the transition diagram of a process by asking the table itself: every state, every input, every policy that
 * matters. It owns no knowledge of the transitions; docs.ts puts the text into src/ARCHITECTURE.md.
 */
import { parseWaitStatus } from '../src/core/exit-status.ts';
import { step } from '../src/core/process-machine.ts';
import {
  initialRecord,
  type ProcessInput,
  type ProcessPolicy,
  type ProcessRecord,
} from '../src/core/process-record.ts';
import { processStateNames, type ProcessStateName, SIGNALLABLE_STATES } from '../src/core/states.ts';

const NOW_MS = 100_000;

/** Inputs that stand for all of their kind, with the words of the diagram. */
const inputs: ReadonlyArray<readonly [label: string, input: ProcessInput]> = [
  ['start', { type: 'start', atMs: NOW_MS }],
  ['stop', { type: 'stop', atMs: NOW_MS }],
  ['kill', { type: 'kill', atMs: NOW_MS }],
  ['spawned', { type: 'spawned', atMs: NOW_MS, run: 1, pid: 8 }],
  ['spawn failed', { type: 'spawnFailed', atMs: NOW_MS, run: 1, reason: '', exitCode: 127 }],
  ['exited', { type: 'exited', atMs: NOW_MS, run: 1, status: parseWaitStatus(0) }],
  ['exited, unexpected', { type: 'exited', atMs: NOW_MS, run: 1, status: parseWaitStatus(1 << 8) }],
  ['deadline', { type: 'elapsed', atMs: NOW_MS }],
  ['restart', { type: 'restart', atMs: NOW_MS }],
  ['cannot be signalled', { type: 'signalFailed', atMs: NOW_MS, run: 1, code: 'EPERM' }],
];

const policy: ProcessPolicy = {
  purpose: 'service',
  startMs: 1000,
  startRetries: 3,
  autorestart: 'unexpected',
  exitCodes: [0],
  stopSignals: [15],
  stopWaitMs: 1000,
  firstWaitMs: 1000,
  hasStopCommand: false,
  gate: null,
  stopAsGroup: false,
  killAsGroup: false,
  mayRestart: true,
  chance: 0,
  restart: { pauseMs: 0, maxBackoffMs: Infinity, backoffFactor: 1, maxRestarts: Infinity, windowMs: 60_000 },
};
const policies: readonly ProcessPolicy[] = [
  policy,
  { ...policy, startMs: 0 },
  { ...policy, startRetries: 0 },
  { ...policy, mayRestart: false },
  { ...policy, purpose: 'oneshot' },
  { ...policy, restart: { ...policy.restart, maxRestarts: 0 } },
];

/**
 * Records of a state as the table can meet them: with and without a pid yet, with a deadline that is due and one that
 * is not.
 */
function recordsIn(state: ProcessStateName): ProcessRecord[] {
  const isUp = SIGNALLABLE_STATES.has(state) || state === 'UNKNOWN';
  const base: ProcessRecord = { ...initialRecord, state, run: 1, pid: isUp ? 7 : null, startedMs: isUp ? 0 : null };
  const due = { ...base, deadlineMs: NOW_MS };
  const early = { ...base, deadlineMs: NOW_MS + 1, startedMs: isUp ? NOW_MS - 1 : null };
  return isUp && state !== 'UNKNOWN' && state !== 'RUNNING'
    ? [due, early, { ...early, pid: null, deadlineMs: null }]
    : [base, due, early];
}

/** The diagram as Mermaid text, one line per pair of states with all inputs that lead from one to the other. */
export function drawTransitions(): string {
  const edges = new Map<string, Set<string>>();
  for (const state of processStateNames) {
    for (const record of recordsIn(state)) {
      for (const [label, input] of inputs) {
        for (const each of policies) {
          for (const effect of step(record, input, each).effects) {
            if (effect.type !== 'changed') continue;
            const edge = `${effect.from} --> ${effect.to}`;
            edges.set(edge, (edges.get(edge) ?? new Set()).add(label));
          }
        }
      }
    }
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
