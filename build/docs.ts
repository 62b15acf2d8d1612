/**
 * Writes the generated parts of the documents: the transition diagram and the table of imports in src/ARCHITECTURE.md,
 * the tables of options, commands, findings, methods and fields of our own log lines in the manual and in README.md.
 * `--check` writes nothing, and fails if a document differs. Owns the markers `<!-- NAME: generated -->` …
 * `<!-- /NAME -->`.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatApiReference } from '../src/api/reference.ts';
import { peerRows } from '../src/api/peer-rows.ts';
import { createTable } from '../src/api/table.ts';
import { formatCommandList, formatCommandReference, formatFrozenWords } from '../src/cli/help-text.ts';
import { formatOptionReference } from '../src/config/reference.ts';
import { formatFindings } from '../src/programs/strict.ts';
import { createMethodTable } from '../src/rpc/method-table.ts';
import { ownMethods } from '../src/rpc/own-methods.ts';
import { formatMethodReference } from '../src/rpc/reference.ts';
import { drawTransitions } from './diagram.ts';
import { drawLayers } from './layer-picture.ts';
import { formatAlertEvents, formatAlertFacts } from './alert-tables.ts';
import { formatLogFields } from './log-field-tables.ts';
import { ROOT } from './platform.ts';

/** A generated part of a document. */
interface Part {
  readonly file: string;
  readonly name: string;
  readonly text: string;
}

const describedPeerRows = peerRows(() => {
  throw new Error('the reference asks no peer');
}, Date.now);

const CONFIGURATION = 'src/manual/configuration.md';
const NOTIFICATIONS = 'src/manual/notifications.md';
const REFERENCE = 'src/manual/reference.md';

const parts: readonly Part[] = [
  { file: 'src/ARCHITECTURE.md', name: 'layers', text: drawLayers() },
  { file: 'src/ARCHITECTURE.md', name: 'transitions', text: `\`\`\`mermaid\n${drawTransitions()}\n\`\`\`` },
  { file: 'src/manual/api.md', name: 'api', text: formatApiReference(createTable(describedPeerRows)) },
  { file: CONFIGURATION, name: 'findings', text: formatFindings() },
  { file: 'src/manual/logs.md', name: 'log-fields', text: formatLogFields() },
  { file: NOTIFICATIONS, name: 'notify-events', text: formatAlertEvents() },
  { file: NOTIFICATIONS, name: 'notify-facts', text: formatAlertFacts() },
  { file: REFERENCE, name: 'options', text: formatOptionReference() },
  { file: REFERENCE, name: 'commands', text: formatCommandReference() },
  { file: 'README.md', name: 'commands', text: formatCommandList() },
  { file: 'src/manual/start.md', name: 'words', text: formatFrozenWords() },
  { file: REFERENCE, name: 'methods', text: formatMethodReference(createMethodTable(ownMethods)) },
];

/** Returns the document with the part in its place. */
export function insertPart(document: string, { file, name, text }: Part): string {
  const begin = `<!-- ${name}: generated -->`;
  const end = `<!-- /${name} -->`;
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from < 0 || to < from) throw new Error(`cannot update ${file}: it has no ${begin} … ${end}`);
  return `${document.slice(0, from + begin.length)}\n${text.trim()}\n${document.slice(to)}`;
}

const isCheck = process.argv.includes('--check');
let stale = 0;
for (const part of parts) {
  const path = join(ROOT, part.file);
  const before = await readFile(path, 'utf8');
  const after = insertPart(before, part);
  if (before === after) continue;
  if (isCheck) {
    stale++;
    console.error(`${part.file}: the part "${part.name}" differs from the code; run npm run docs`);
  } else {
    await writeFile(path, after);
    console.log(`${part.file}: ${part.name} written`);
  }
}
process.exitCode = stale === 0 ? 0 : 1;
