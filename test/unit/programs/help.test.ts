/** `onevisor help`: the list of topics, one page, and unknown names. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readManual, runHelp } from '../../../src/programs/help.ts';

const MANUAL = {
  README: '# The manual\n\n| topic |  |\n| --- | --- |\n| [logs](logs.md) | Lines. |\n',
  logs: '# Logs\n\nText of the page.\n',
  'stopping-and-exit-codes': '# Stopping\n',
};

function help(args: readonly string[], columns: number | null = null): { code: number; out: string; err: string } {
  const said = { out: '', err: '' };
  const io = {
    out: (text: string) => void (said.out += text),
    err: (text: string) => void (said.err += text),
    columns,
  };
  return { code: runHelp(args, MANUAL, io), ...said };
}

test('without a topic it lists the topics, with a topic it shows the page', () => {
  assert.deepEqual(help([]), { code: 0, out: MANUAL.README, err: '' });
  assert.deepEqual(help(['logs']), { code: 0, out: MANUAL.logs, err: '' });
  assert.equal(help(['LOGS.md']).out, MANUAL.logs);
});

test('on a terminal the page is formatted', () => {
  assert.equal(help(['logs'], 80).out, 'Logs\n====\n\nText of the page.\n');
});

test('an unknown topic names the nearest one', () => {
  const { code, out, err } = help(['lgos']);
  assert.deepEqual([code, out], [2, '']);
  assert.match(err, /^Error: cannot show "lgos": no such topic \(did you mean logs\?\)$/m);
  assert.match(help(['exit']).err, /did you mean stopping-and-exit-codes\?/);
  assert.match(help(['xyz']).err, /no such topic\n/);
  assert.equal(help(['readme']).code, 2, 'the list is no topic');
  assert.equal(help(['__proto__']).code, 2);
});

test('-h shows the usage, and two topics are an error', () => {
  assert.match(help(['-h']).out, /^Usage: onevisor help \[TOPIC\]/);
  assert.equal(help(['a', 'b']).code, 2);
});

test('in a checkout the manual is read from its directory', () => {
  assert.match(readManual()['logs'] ?? '', /^# Logs\n/);
});
