/** Files with variables: expansion. test/process/environment-files.test.ts has the forms without it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseEnvironmentText } from '../../../src/core/environment-text.ts';
import type { LookUp } from '../../../src/core/shell-variables.ts';

function read(text: string, outer: LookUp): Record<string, string> {
  const parsed = parseEnvironmentText(text, outer);
  assert.ok(parsed.ok);
  return Object.fromEntries(parsed.variables);
}

describe('with expansion', () => {
  const outer = new Map([
    ['HOST', 'db'],
    ['EMPTY', ''],
  ]);
  const rows: Array<[text: string, variables: Record<string, string>]> = [
    ['A=$HOST:${HOST}_x', { A: 'db:db_x' }],
    ['A=1\nB=$A$A\nA=$B', { A: '11', B: '11' }],
    ['A=${NONE:-two words}|${EMPTY:-x}|${EMPTY-x}|${NONE-}|$NONE|', { A: 'two words|x||||' }],
    ['A="a\\n$HOST\\$HOST\\\\" # comment', { A: 'a\ndb$HOST\\' }],
    ["A='$HOST # literal'", { A: '$HOST # literal' }],
    ['A=\\$HOST \\d $1 $ a$(id) $', { A: '$HOST \\d $1 $ a$(id) $' }],
    ['HOST\nNONE\nexport EMPTY # comment\nA=1', { HOST: 'db', EMPTY: '', A: '1' }],
    ['A=x # comment\nB=#fff\nC= # none\nD=a#b\t# c\nE=', { A: 'x', B: '#fff', C: '', D: 'a#b', E: '' }],
    ['A=${HOST}\r\nHOST\r\n', { A: 'db', HOST: 'db' }],
  ];
  for (const [text, variables] of rows)
    test(JSON.stringify(text), () =>
      assert.deepEqual(
        read(text, (name) => outer.get(name)),
        variables,
      ),
    );

  test('a wrong reference is an error with its line, without its text', () => {
    for (const text of ['${HOST', '${HOST!x}', '${A:-${B}}', '${}', '"${A:-x" # }'])
      assert.deepEqual(
        parseEnvironmentText(`A=1\nB=${text}\n`, () => 'secret'),
        { ok: false, line: 2, problem: 'has a ${ that is not ${NAME} or ${NAME:-text}; write \\$ for $' },
        text,
      );
  });

  test('lines that double each other do not fill the memory', () => {
    const lines = ['A0=0123456789', ...Array.from({ length: 60 }, (_, at) => `A${at + 1}=$A${at}$A${at}`)];
    const parsed = parseEnvironmentText(lines.join('\n'), () => undefined);
    assert.equal(parsed.ok ? null : parsed.problem, 'makes the inserted values longer than 1 MB together');
    assert.ok(!parsed.ok && parsed.line > 10 && parsed.line < 20);
  });
});
