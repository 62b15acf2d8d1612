/** Actions on programs: the questions that come before them, the requests, and the notice of their result. */
import { signal } from '@preact/signals';
import type { ConfigAnswer } from '../api/types.ts';
import { getJson, runChange } from './api.ts';
import type { JsonValue } from './messages.ts';
import { canAct } from './session.ts';
import { t, type TextKey } from './texts.ts';

/** The programs that an action is for. */
export interface Target {
  /** Names and patterns for the API: `web`, `pool:*`, `*`. */
  readonly names: readonly string[];
  /** For people: `web`, `pool (4)`. */
  readonly label: string;
  /** Number of processes. */
  readonly count: number;
}

/** An answer to a question. `isHarmful`: shown in red. */
export interface Answer {
  readonly label: string;
  readonly isHarmful: boolean;
  readonly run: () => void;
}

/** A question in a dialog, which begins on Cancel. */
export interface Question {
  readonly title: string;
  /** Names of the programs, if there are several. */
  readonly names: readonly string[];
  readonly answers: readonly Answer[];
}

/** The result of an action, until it is closed or the next one comes. */
export interface Notice {
  readonly text: string;
  readonly tone: 'busy' | 'good' | 'bad';
}

export const question = signal<Question | null>(null);
export const notice = signal<Notice | null>(null);
/** Program or group whose menu is open. */
export const menu = signal<Target | null>(null);

/** Signals that can be sent, those without harm first. */
export const SIGNALS = ['HUP', 'USR1', 'USR2', 'WINCH', 'CONT', 'INT', 'TERM', 'QUIT', 'STOP', 'KILL'] as const;

/** Words of results that are shown. */
const MAX_RESULTS = 5;

let latest = 0;

/** Sends a change, and shows its result. */
export async function perform(label: string, path: string, body: JsonValue = {}): Promise<boolean> {
  const number = ++latest;
  const show = (text: string, tone: Notice['tone']): void => {
    if (number === latest) notice.value = { text, tone };
  };
  show(`${label} …`, 'busy');
  try {
    const { status, results, error } = await runChange(path, body);
    const failed = results.filter(({ ok }) => !ok);
    const told = failed.length > 0 ? failed : results;
    const more = told.length > MAX_RESULTS ? ` … (${told.length})` : '';
    const text = told.slice(0, MAX_RESULTS).map((result) => result.text);
    const isGood = status === 'done' && failed.length === 0;
    show([...(error === undefined ? [] : [error]), ...text].join('; ') + more || label, isGood ? 'good' : 'bad');
    return isGood;
  } catch (problem) {
    show(`${label}: ${problem instanceof Error ? problem.message : String(problem)}`, 'bad');
    return false;
  }
}

/** Starts programs. */
export function start({ names, label }: Target): void {
  if (canAct.value) void perform(t('act.start.of', { name: label }), 'start', { names });
}

function ask(key: TextKey, { names, label, count }: Target, answers: readonly Answer[]): void {
  if (!canAct.value) return;
  question.value = { title: t(key, { name: label }), names: count > 1 ? names : [], answers };
}

/** Asks, and then stops programs. */
export function askStop(target: Target): void {
  const run = (): void => void perform(t('act.stop.of', { name: target.label }), 'stop', { names: target.names });
  ask('ask.stop', target, [{ label: t('act.stop'), isHarmful: true, run }]);
}

/** Asks, and then restarts programs, all at once or one after the other. */
export function askRestart(target: Target): void {
  const answer = (key: TextKey, rolling: boolean): Answer => ({
    label: t(key),
    isHarmful: true,
    run: () => void perform(t('act.restart.of', { name: target.label }), 'restart', { names: target.names, rolling }),
  });
  const answers =
    target.count > 1 ? [answer('act.rolling', true), answer('act.atOnce', false)] : [answer('act.restart', false)];
  ask('ask.restart', target, answers);
}

/** Does something with one process: `reload`, `clear-logs`, or a signal. */
export function performOn(name: string, verb: string, body: JsonValue = {}): void {
  const label = verb === 'signal' ? `${verb} ${JSON.stringify(body).replace(/\W+/g, ' ').trim()}` : verb;
  void perform(`${label}: ${name}`, `processes/${encodeURIComponent(name)}/${verb}`, body);
}

/** Writes a line to the standard input of a process. */
export function sendLine(name: string, line: string): void {
  void perform(`stdin: ${name}`, `processes/${encodeURIComponent(name)}/stdin`, { text: `${line}\n` });
}

/** Asks, and then gives the program of a process another number of processes. */
export async function askScale(member: string, count: number): Promise<void> {
  const { sections } = await getJson<ConfigAnswer>('config');
  const section = sections.find((one) => one.process === member)?.section ?? member;
  const name = section.replace(/^\w+:/, '');
  const label = t('act.scale');
  const run = (): void => void perform(`${label}: ${name}`, `programs/${encodeURIComponent(name)}/scale`, { count });
  question.value = { title: t('ask.scale', { name, n: count }), names: [], answers: [{ label, isHarmful: true, run }] };
}

/** Asks, and then shuts the supervisor down or reloads it. */
export function askSupervisor(verb: 'shutdown' | 'reload', host: string): void {
  if (!canAct.value) return;
  const label = t(`act.${verb}`);
  question.value = {
    title: t(`ask.${verb}`, { name: host }),
    names: [],
    answers: [{ label, isHarmful: true, run: () => void perform(label, `supervisor/${verb}`) }],
  };
}
