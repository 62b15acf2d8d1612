/** Keys that ask the supervisor for an action. What hurts is confirmed first, and the confirmation begins on Cancel. */
import type { Action, Change, Menu, Message, Target, TopState } from './state.ts';

/** Signals that can be sent, those without harm first. */
const SIGNALS = ['HUP', 'USR1', 'USR2', 'WINCH', 'CONT', 'INT', 'TERM', 'QUIT', 'STOP', 'KILL'] as const;

/** Handles a key for a target; null if the key is no action. */
export function actionKey(state: TopState, target: Target | null, name: string): Change | null {
  if (name !== 's' && name !== 'S' && name !== 'r' && name !== 'x') return null;
  const objection = objectionTo(state, target);
  if (target === null || objection !== null) return { state: { ...state, message: objection }, effects: [] };
  if (name === 'S') return { state, effects: [{ kind: 'act', action: { kind: 'start', target } }] };
  return { state: { ...state, overlay: menuFor(state, target, name) }, effects: [] };
}

function objectionTo({ isReadOnly, loss }: TopState, target: Target | null): Message | null {
  if (isReadOnly) return { text: 'read-only: --read-only switches actions off', tone: 'busy' };
  if (target === null) return { text: 'no process is chosen', tone: 'busy' };
  if (loss !== null) return { text: 'not connected: the supervisor cannot be asked now', tone: 'bad' };
  return null;
}

function menuFor(state: TopState, target: Target, key: 's' | 'r' | 'x'): Menu {
  const name = nameOf(target);
  const isGroup = target.ids.length > 1;
  switch (key) {
    case 's':
      return isStopping(state, target)
        ? menu(`${name} is stopping. Kill it?`, [['Kill', { kind: 'stop', target }]])
        : menu(`Stop ${name}?`, [['Stop', { kind: 'stop', target }]]);
    case 'r':
      return menu(`Restart ${name}?`, [
        [isGroup ? 'All at once' : 'Restart', { kind: 'restart', target }],
        ...(isGroup ? [['One after the other', { kind: 'rolling', target }] as const] : []),
      ]);
    case 'x':
      return menu(
        `Signal to ${name}:`,
        SIGNALS.map((signal) => [signal, { kind: 'signal', signal, target }]),
      );
  }
}

function menu(question: string, answers: ReadonlyArray<readonly [label: string, action: Action]>): Menu {
  const all = [{ label: 'Cancel', action: null }, ...answers.map(([label, action]) => ({ label, action }))];
  return { kind: 'menu', question, answers: all, choice: 0 };
}

/** True if a further request to stop kills the processes. */
function isStopping({ processes }: TopState, { ids }: Target): boolean {
  const chosen = processes.filter(({ id }) => ids.includes(id));
  return chosen.length > 0 && chosen.every(({ state }) => state === 'STOPPING');
}

function nameOf({ name, ids }: Target): string {
  return ids.length > 1 ? `${name} (${ids.length} processes)` : name;
}
