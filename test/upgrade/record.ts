/**
 * Writes the transcripts of the executable, at a release: `node test/upgrade/record.ts`. Where the transcripts lack
 * something of those before, a sentence of changes.md must explain it: `--change 'SENTENCE'`, once for each.
 */
import { mkdirSync, writeFileSync, existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { collect } from './configurations.ts';
import { lacks, recordConversation, startScene } from './scene.ts';
import {
  changesText,
  type Conversation,
  digest,
  FILES,
  format,
  type Index,
  pathOf,
  read,
  unwrap,
} from './transcripts.ts';

const { values } = parseArgs({ options: { change: { type: 'string', multiple: true } } });
const changes = (values.change ?? []).map(unwrap);
const cleanups: Array<() => unknown> = [];

process.exitCode = await record();

async function record(): Promise<number> {
  const unknown = changes.filter((change) => !changesText().includes(change));
  if (unknown.length > 0) return fail(`src/manual/changes.md does not say: ${unknown.join('; ')}`);
  const owner = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) };
  const launched = await startScene(owner as unknown as Parameters<typeof startScene>[0]);
  try {
    const conversation = await recordConversation(launched);
    const texts = { 'conversation.json': format(conversation), 'configurations.json': format(await collect()) };
    const differences = existsSync(pathOf('index.json'))
      ? differencesTo(conversation, texts['configurations.json'])
      : [];
    if (differences.length > changes.length)
      return fail(
        `${differences.length} differences, and ${changes.length} sentences of changes.md (--change):\n` +
          differences.join('\n'),
      );
    save(texts);
    return 0;
  } finally {
    for (const cleanup of cleanups) await cleanup();
  }
}

function differencesTo(conversation: Conversation, configurations: string): string[] {
  const before = readFileSync(pathOf('configurations.json'), 'utf8');
  return [
    ...lacks(read('conversation.json') as Conversation, conversation),
    ...(before === configurations ? [] : ['the effective options of the configurations']),
  ];
}

function save(texts: Readonly<Record<(typeof FILES)[number], string>>): void {
  mkdirSync(dirname(pathOf('index.json')), { recursive: true });
  const files = Object.fromEntries(FILES.map((name) => [name, digest(texts[name])]));
  for (const name of FILES) writeFileSync(pathOf(name), texts[name]);
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
  writeFileSync(pathOf('index.json'), format({ version, files, changes } satisfies Index));
}

function fail(text: string): number {
  console.error(text);
  return 1;
}
