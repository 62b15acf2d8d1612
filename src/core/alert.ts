/**
 * An alert: the facts of one message to people, and their forms as JSON and as environment variables. Pure. A template
 * (alert-template.ts) uses the same names.
 */

/** The facts of an alert. A fact that does not apply is null. */
export interface Alert {
  /** Name of the event, as in `events=`. */
  readonly event: string;
  readonly message: string;
  readonly reason: string | null;
  readonly name: string | null;
  readonly process_name: string | null;
  readonly group_name: string | null;
  readonly program_name: string | null;
  readonly state: string | null;
  readonly from_state: string | null;
  readonly pid: number | null;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly last_line: string | null;
  /** Number of similar events that were left out before this alert (`throttle`). */
  readonly left_out: number;
  readonly time: string;
  readonly host: string;
  readonly identifier: string;
  /** The x of `[notify:x]`. */
  readonly notify: string;
}

/** Name of a fact. */
export type AlertField = keyof Alert;

/** Each fact, with a sentence for the manual. */
export const alertFields: Readonly<Record<AlertField, string>> = {
  event: 'The event, as in `events`; `summary` for several that were left out, `test` for a test.',
  message: 'One sentence for people.',
  reason: 'The reason alone: the exit, the failed check, the cause of the shutdown.',
  name: 'The process as `status` shows it: `web`, or `group:web`.',
  process_name: 'Name of the process in its group.',
  group_name: 'Group of the process, or the group that was added or removed.',
  program_name: 'The x of `[program:x]`.',
  state: 'State of the process after the event.',
  from_state: 'State of the process before the event, if that has changed.',
  pid: 'Pid of the run that the event is about.',
  exit_code: 'Exit code of the run that has ended.',
  signal: 'Signal that has ended the run, as `SIGSEGV`.',
  last_line: 'Last line of output of a run that has ended.',
  left_out: 'Number of similar events that were left out before this message.',
  time: 'Time of the event in UTC, as `2026-01-31T12:00:00.000Z`.',
  host: 'Host name of the container or machine.',
  identifier: '`identifier` of `[supervisord]`.',
  notify: 'The x of `[notify:x]`.',
};

/** All names of facts, in the order of the JSON. */
export const alertFieldNames = Object.keys(alertFields) as AlertField[];

/** Facts that are numbers. */
const NUMBERS: ReadonlySet<AlertField> = new Set<AlertField>(['pid', 'exit_code', 'left_out']);

/** True for a fact that is a number or null. */
export function isNumberField(field: AlertField): boolean {
  return NUMBERS.has(field);
}

/** Facts without a process. */
export const NO_PROCESS = {
  name: null,
  process_name: null,
  group_name: null,
  program_name: null,
  state: null,
  from_state: null,
  pid: null,
  exit_code: null,
  signal: null,
  last_line: null,
} as const;

/** Returns an alert as one line of JSON. Bytes that are not UTF-8 become U+FFFD. */
export function formatAlertJson(alert: Alert): string {
  const members = alertFieldNames.map((field) => {
    const value = alert[field];
    return [field, typeof value === 'string' ? value.toWellFormed() : value] as const;
  });
  return JSON.stringify(Object.fromEntries(members));
}

/** Longest value of a variable. The whole environment of a command has a limit in the kernel. */
const LONGEST_VALUE = 4096;

/** Returns the variables of an alert: `NOTIFY_EVENT` and so on. A fact that does not apply is empty. */
export function alertVariables(alert: Alert): Map<string, string> {
  return new Map(
    alertFieldNames.map((field) => {
      const value = String(alert[field] ?? '').replaceAll('\0', '\ufffd');
      return [`NOTIFY_${field.toUpperCase()}`, value.slice(0, LONGEST_VALUE)];
    }),
  );
}

/** Event of an alert that stands for several. Its message has their number. */
export const SUMMARY = 'summary';

/** Returns an alert that counts further events that were left out before it. */
export function withLeftOut(alert: Alert, count: number): Alert {
  return count === 0 ? alert : { ...alert, left_out: alert.left_out + count };
}

/** Returns an alert whose message says how many events were left out. */
export function sayLeftOut(alert: Alert): Alert {
  if (alert.left_out === 0 || alert.event === SUMMARY) return alert;
  return { ...alert, message: `${alert.message} (${alert.left_out} more left out before this)` };
}
