/** Annotations of GitHub: the escapes of its workflow commands, and paths relative to the checkout. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAnnotations } from '../../../src/config/annotations.ts';
import type { Problem } from '../../../src/config/model.ts';

const problem = (given: Partial<Problem>): Problem => ({
  file: '/work/app/supervisord.conf',
  line: 4,
  section: 'program:web',
  option: 'command',
  reason: 'is wrong',
  ...given,
});
const shown = (...errors: readonly Partial<Problem>[]): string[] =>
  formatAnnotations({ errors: errors.map(problem), warnings: [] }, '/work')
    .split('\n')
    .slice(0, -1);

test('errors, warnings and notes are lines of their own', () => {
  const reading = {
    errors: [problem({})],
    warnings: [problem({ line: 5 }), problem({ reason: 'note: may be meant' })],
  };
  assert.equal(
    formatAnnotations(reading, '/work/'),
    '::error file=app/supervisord.conf,line=4,title=[program%3Aweb] command::is wrong\n' +
      '::warning file=app/supervisord.conf,line=5,title=[program%3Aweb] command::is wrong\n' +
      '::notice file=app/supervisord.conf,line=4,title=[program%3Aweb] command::may be meant\n',
  );
  assert.equal(formatAnnotations({ errors: [], warnings: [] }, '/work'), '');
});

const files: ReadonlyArray<readonly [file: string, shown: string]> = [
  ['/work/a,b:c.conf', 'a%2Cb%3Ac.conf'],
  ['/work/100%.conf', '100%25.conf'],
  ['/work/%3A.conf', '%253A.conf'],
  ['/work/a\r\n::error::x.conf', 'a%0D%0A%3A%3Aerror%3A%3Ax.conf'],
  ['/work/ä b.conf', 'ä b.conf'],
  ['/work/\udcff.conf', '\ufffd.conf'],
  ['/work/..x/y.conf', '..x/y.conf'],
  ['/etc/supervisord.conf', '/etc/supervisord.conf'],
  ['/workshop/a.conf', '/workshop/a.conf'],
  ['/work', '/work'],
];
for (const [file, expected] of files) {
  test(`a file ${JSON.stringify(file)}`, () => {
    assert.deepEqual(shown({ file, line: 1 }), [
      `::error file=${expected},line=1,title=[program%3Aweb] command::is wrong`,
    ]);
  });
}

test('messages keep : and ,, and stay on one line', () => {
  assert.deepEqual(shown({ reason: 'a: b, 100%\r\n::error::c', section: 'a\n:', option: null }), [
    '::error file=app/supervisord.conf,line=4,title=[a%0A%3A]::a: b, 100%25\\r\\n::error::c',
  ]);
});

test('a problem without a line or without a file', () => {
  assert.deepEqual(
    shown({ line: 0, section: '', option: null }, { file: 'ONEVISOR_NOPE', line: 0, section: '', option: null }),
    [
      '::error file=app/supervisord.conf,title=onevisor check::is wrong',
      '::error title=onevisor check::ONEVISOR_NOPE: is wrong',
    ],
  );
});
