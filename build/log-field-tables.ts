/** The tables of the fields and events of the supervisor's own lines, for the page about logs of the manual. */
import { logEvents, logFields } from '../src/core/log-fields.ts';

/** Formats names with their meanings as a table. */
export function formatTable(title: string, rows: Readonly<Record<string, string>>): string {
  const lines = Object.entries(rows).map(([name, doc]) => `| \`${name}\` | ${doc} |`);
  return [`| ${title} | |`, '| --- | --- |', ...lines].join('\n');
}

/** Returns both tables as Markdown. */
export function formatLogFields(): string {
  return `${formatTable('field', logFields)}\n\n${formatTable('event', logEvents)}`;
}
