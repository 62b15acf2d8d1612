/**
 * Uses of the last release work with this build: its client, scripts around `supervisorctl`, clients of
 * XML-RPC and of the JSON API, event listeners, and configurations (test/upgrade/transcripts).
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { pid1SkipReason } from '../e2e/launch.ts';
import { effectiveOptions } from './configurations.ts';
import { lacks, recordConversation, send, shapeOf, startScene } from './scene.ts';
import { lackOf, shapeOfJson, shapeOfXml } from './shape.ts';
import {
  changesText,
  type Configurations,
  type Conversation,
  digest,
  FILES,
  type Index,
  type Options,
  pathOf,
  read,
} from './transcripts.ts';

const skip = (await pid1SkipReason()) ?? false;

test('clients of the last release get the same from this build', { skip }, async (t) => {
  const older = read('conversation.json') as Conversation;
  const launched = await startScene(t);
  const newer = await recordConversation(launched);
  assert.deepEqual(lacks(older, newer), []);
  t.diagnostic(
    `${older.commands.length} commands, ${older.calls.length} calls, ${older.api.length} answers of the API, ` +
      `${Object.keys(older.methods).length} methods, ${older.operations.length} operations`,
  );
  // The recorder has sent each request after the command that made it.
  const commands = [...new Set(older.requests.map(({ command }) => command))];
  const rounds = commands.flatMap((name) => {
    const requests = older.requests.filter(({ command }) => command === name);
    return [
      ...requests.map((one) => ({ ...one, isFirst: true })),
      ...requests.map((one) => ({ ...one, isFirst: false })),
    ];
  });
  for (const { command, status, shape, isFirst, ...sent } of rounds) {
    const body = sent.body.replaceAll('FOLDER', launched.folder);
    const headers = { ...sent.headers, 'content-length': String(Buffer.byteLength(body)) };
    const answer = await send(launched, { ...sent, headers, body });
    assert.equal(answer.status, status, command);
    if (!isFirst) assert.deepEqual(lackOf(shape, shapeOf(answer), command), []);
  }
});

test('configurations of the last release have the same options', { skip }, async (t) => {
  const { defaults, configurations } = read('configurations.json') as Configurations;
  assert.ok(configurations.length > 20, String(configurations.length));
  for (const { name, text, options } of configurations)
    await t.test(name, async () => {
      const now = await effectiveOptions(text);
      assert.ok(now !== null, `${name} is refused`);
      for (const [section, rows] of Object.entries(options))
        for (const [index, row] of rows.entries()) {
          const expected: Options = { ...defaults[section], ...row };
          for (const [option, value] of Object.entries(expected))
            assert.deepEqual(now[section]?.[index]?.[option] ?? null, value, `${section} ${index} ${option}`);
        }
    });
});

test('the transcripts are the recorded ones, and changes.md explains each change of them', () => {
  const { version, files, changes } = read('index.json') as Index;
  const way = 'run `node test/upgrade/record.ts`, which asks for a sentence of changes.md';
  for (const name of FILES)
    assert.equal(digest(readFileSync(pathOf(name), 'utf8')), files[name], `${name} was changed by hand; ${way}`);
  const text = changesText();
  for (const change of changes) assert.ok(text.includes(change), `changes.md does not say any more: ${change}`);
  assert.ok(text.includes(`## ${version}`), `changes.md has no section for ${version}`);
});

describe('the comparison of shapes', () => {
  const before = shapeOfJson({ name: 'web', pid: 1, exit: null, list: [{ a: 1 }, { a: 2, b: 'x' }] });
  const cases: ReadonlyArray<readonly [title: string, now: unknown, lack: readonly string[]]> = [
    ['a new member is fine', { name: 'x', pid: 2, exit: 'text', more: 1, list: [{ a: 1, c: 2 }] }, []],
    ['a member that is gone', { pid: 2, exit: null, list: [] }, ['.name is gone']],
    ['a member of another type', { name: 1, pid: 2, exit: null, list: [] }, ['.name was string and is number']],
    ['a member that only some elements had', { name: 'x', pid: 2, exit: null, list: [{ a: 1 }] }, []],
    ['another element', { name: 'x', pid: 2, exit: null, list: [{ b: 'x' }] }, ['.list[].a is gone']],
  ];
  for (const [title, now, lack] of cases) test(title, () => assert.deepEqual(lackOf(before, shapeOfJson(now)), lack));

  test('XML-RPC', () => {
    const answer = (value: string): string =>
      `<methodResponse><params><param>${value}</param></params></methodResponse>`;
    const member = (name: string, value: string): string =>
      `<member><name>${name}</name><value>${value}</value></member>`;
    const list = (...values: string[]): string =>
      answer(`<value><array><data>${values.map((one) => `<value>${one}</value>`).join('')}</data></array></value>`);
    const struct = (...members: string[]): string => `<struct>${members.join('')}</struct>`;
    const older = shapeOfXml(list(struct(member('pid', '<int>1</int>'), member('name', '<string>a</string>'))));
    assert.deepEqual(older.elements?.members, { pid: { types: ['int'] }, name: { types: ['string'] } });
    assert.deepEqual(lackOf(older, shapeOfXml(list(struct(member('name', 'x'))))), ['[].pid is gone']);
    assert.deepEqual(lackOf(older, shapeOfXml(list(struct(member('pid', '<string/>'), member('name', 'x'))))), [
      '[].pid was int and is string',
    ]);
    const fault = '<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>10</int></value>';
    assert.deepEqual(shapeOfXml(fault), { types: ['fault 10'] });
  });
});
