/** The tables of the events and facts of notifications, for their page of the manual. */
import { alertFields } from '../src/core/alert.ts';
import { alertWords } from '../src/core/alert-events.ts';
import { formatTable } from './log-field-tables.ts';

/** Returns the words of our own for `events`, as Markdown. */
export function formatAlertEvents(): string {
  return formatTable('`events`', alertWords);
}

/** Returns the facts of a notification, as Markdown. */
export function formatAlertFacts(): string {
  return formatTable('fact', alertFields);
}
