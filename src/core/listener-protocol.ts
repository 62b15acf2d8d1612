/**
 * The output of an event listener, read byte by byte (Supervisor, "Event Listener Notification Protocol"). Pure.
 *
 *   ACKNOWLEDGED  The listener has started, or has answered. `READY\n` must follow.
 *   READY         An event may be sent. The listener must be silent until then.
 *   BUSY          The listener has an event. `RESULT n\n` and n bytes must follow.
 *   UNKNOWN       The listener has broken the protocol. All further output is ignored.
 *
 * Invariant: the outcome does not depend on how the bytes were cut into reads, as long as no event is sent in between.
 */

/** Names as in the debug log of Supervisor. */
export type ListenerState = 'ACKNOWLEDGED' | 'READY' | 'BUSY' | 'UNKNOWN';

/** The state of one run of a listener. Text has one character for each byte. */
export interface ListenerRecord {
  readonly state: ListenerState;
  /** Beginning of an incomplete token, or of an incomplete line of a result. */
  readonly held: string;
  /** The result under way: its length and its beginning. Null until its line is complete. */
  readonly result: { readonly length: number; readonly received: number; readonly text: string } | null;
}

/** Result of reading some output. */
export type ListenerOutcome =
  | { readonly type: 'ready' }
  /** The listener has judged the event. `accepted`: the result is OK. `result`: the beginning of the result. */
  | { readonly type: 'result'; readonly accepted: boolean; readonly result: string }
  /** The listener is UNKNOWN now. The reason follows the name of the listener in a sentence. */
  | { readonly type: 'violated'; readonly reason: string };

/** A listener that has just been started. */
export const initialListener: ListenerRecord = { state: 'ACKNOWLEDGED', held: '', result: null };

const READY_TOKEN = 'READY\n';
const RESULT_LINE = /^RESULT[ \t]+\+?(\d+)[ \t\r]*$/;
/** Limit for the line of a result. Without a limit, a listener that never ends its line would fill the memory. */
const MAX_LINE = 64;
/** Length of the part of a result that log lines show. */
const MAX_RESULT_TEXT = 64;

/** Result of one step of reading. */
interface ReadStep {
  readonly record: ListenerRecord;
  readonly outcome: ListenerOutcome | null;
  /** Output that is left to read; null if more output is needed. */
  readonly rest: string | null;
}

/** Reads output of a listener. */
export function readListenerOutput(
  record: ListenerRecord,
  text: string,
): { readonly record: ListenerRecord; readonly outcomes: readonly ListenerOutcome[] } {
  const outcomes: ListenerOutcome[] = [];
  let current = record;
  for (let rest: string | null = record.held + text; rest !== null && rest !== '';) {
    const heard = readNext({ ...current, held: '' }, rest);
    current = heard.record;
    if (heard.outcome !== null) outcomes.push(heard.outcome);
    rest = heard.rest;
  }
  return { record: current, outcomes };
}

/** Returns the record after an event was sent. */
export function markBusy(record: ListenerRecord): ListenerRecord {
  return { ...record, state: 'BUSY', result: null };
}

/** Returns the record of a listener whose output is ignored from now on. */
export function markUnknown(record: ListenerRecord): ListenerRecord {
  return { ...record, state: 'UNKNOWN', held: '', result: null };
}

function readNext(record: ListenerRecord, text: string): ReadStep {
  switch (record.state) {
    case 'UNKNOWN':
      return { record, outcome: null, rest: null };
    case 'READY':
      return violate(record, `it wrote without an event: ${quote(text)}`);
    case 'ACKNOWLEDGED':
      return readToken(record, text);
    case 'BUSY':
      return record.result === null ? readResultLine(record, text) : readResult(record, record.result, text);
  }
}

function readToken(record: ListenerRecord, text: string): ReadStep {
  if (text.startsWith(READY_TOKEN))
    return { record: { ...record, state: 'READY' }, outcome: { type: 'ready' }, rest: text.slice(READY_TOKEN.length) };
  if (READY_TOKEN.startsWith(text)) return { record: { ...record, held: text }, outcome: null, rest: null };
  return violate(record, `READY was expected, but it wrote ${quote(text)}`);
}

function readResultLine(record: ListenerRecord, text: string): ReadStep {
  const end = text.indexOf('\n');
  if (end === -1 && text.length < MAX_LINE) return { record: { ...record, held: text }, outcome: null, rest: null };
  const line = end === -1 ? text : text.slice(0, end);
  const length = line.length < MAX_LINE ? RESULT_LINE.exec(line)?.[1] : undefined;
  if (length === undefined) return violate(record, `bad result line: ${quote(line)}`);
  const result = { length: Number(length), received: 0, text: '' };
  // An empty result is complete already. The output after the line does not belong to it.
  return result.length === 0
    ? judge(record, '', 0, text.slice(end + 1))
    : { record: { ...record, result }, outcome: null, rest: text.slice(end + 1) };
}

function readResult(record: ListenerRecord, result: NonNullable<ListenerRecord['result']>, text: string): ReadStep {
  const taken = text.slice(0, result.length - result.received);
  const received = result.received + taken.length;
  const known = (result.text + taken).slice(0, MAX_RESULT_TEXT);
  if (received === result.length) return judge(record, known, result.length, text.slice(taken.length));
  return { record: { ...record, result: { ...result, received, text: known } }, outcome: null, rest: null };
}

/** compat: only `OK` accepts an event (supervisor.dispatchers:default_handler). */
function judge(record: ListenerRecord, result: string, length: number, rest: string): ReadStep {
  return {
    record: { ...record, state: 'ACKNOWLEDGED', result: null },
    outcome: { type: 'result', accepted: length === 2 && result === 'OK', result },
    rest,
  };
}

function violate(record: ListenerRecord, reason: string): ReadStep {
  return { record: markUnknown(record), outcome: { type: 'violated', reason }, rest: null };
}

/** Quotes the beginning of some output, escaped so that it fits on one line of the log. */
function quote(text: string): string {
  const shown = text
    .slice(0, MAX_LINE)
    .replace(/[^\x20-\x7e]/g, (character) =>
      character === '\n' ? '\\n' : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
    );
  return `'${shown}'`;
}
