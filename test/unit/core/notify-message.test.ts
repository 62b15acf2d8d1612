import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type NotifyFact, parseNotifyMessage } from '../../../src/core/notify-message.ts';

const parse = (text: string): NotifyFact[] | null => parseNotifyMessage(new TextEncoder().encode(text));
const statusOf = (text: string): string | undefined =>
  parse(`STATUS=${text}`)?.flatMap((fact) => (fact.kind === 'status' ? [fact.text] : []))[0];

test('the messages of sd_notify(3)', () => {
  const cases: Array<[string, NotifyFact[]]> = [
    ['READY=1', [{ kind: 'ready' }]],
    ['READY=1\n', [{ kind: 'ready' }]],
    ['READY=1\0', [{ kind: 'ready' }]],
    ['READY=0', []],
    ['READY=1 ', []],
    ['ready=1', []],
    ['', []],
    ['=1', []],
    ['READY', []],
    ['\n\nREADY=1\n\nSTATUS=up\n', [{ kind: 'ready' }, { kind: 'status', text: 'up' }]],
    ['RELOADING=1\nMONOTONIC_USEC=12345', [{ kind: 'reloading' }]],
    ['RELOADING=1\nREADY=1', [{ kind: 'reloading' }, { kind: 'ready' }]],
    ['STOPPING=1', [{ kind: 'stopping' }]],
    ['WATCHDOG=1', [{ kind: 'alive' }]],
    ['WATCHDOG=trigger', [{ kind: 'failed' }]],
    ['WATCHDOG=2', []],
    ['WATCHDOG_USEC=1500000', [{ kind: 'watchdog', limitMs: 1500 }]],
    ['WATCHDOG_USEC=0', [{ kind: 'watchdog', limitMs: null }]],
    ['WATCHDOG_USEC=-1', []],
    ['WATCHDOG_USEC=', []],
    ['WATCHDOG_USEC=1e6', []],
    ['MAINPID=4', [{ kind: 'unsupported', name: 'MAINPID' }]],
    ['EXTEND_TIMEOUT_USEC=5000000', [{ kind: 'unsupported', name: 'EXTEND_TIMEOUT_USEC' }]],
    ['FDSTORE=1\nFDNAME=x', [{ kind: 'unsupported', name: 'FDSTORE' }]],
    ['BARRIER=1', []],
    ['ERRNO=2\nX_OURS=1\nNOTIFYACCESS=all', []],
    ['STATUS=', [{ kind: 'status', text: '' }]],
    ['STATUS=a=b', [{ kind: 'status', text: 'a=b' }]],
  ];
  for (const [text, facts] of cases) assert.deepEqual(parse(text), facts, JSON.stringify(text));
});

test('a message with a NUL is invalid', () => {
  assert.equal(parse('READY=1\0STATUS=x'), null);
  assert.equal(parse('READY=1\0\0'), null);
});

test('a status becomes one safe line of at most 200 characters', () => {
  assert.equal(statusOf(' 3 of 5\tdone '), '3 of 5 done');
  assert.equal(statusOf('\x1b[31mred\x07\x7f\u0085\u2028'), '[31mred');
  assert.equal(statusOf('abc\u202Efed\u2066'), 'abcfed');
  assert.equal(statusOf('Grüße 👋🏽'), 'Grüße 👋🏽');
  const bytes = Buffer.concat([Buffer.from('STATUS=bad '), Buffer.from([0xff, 0xc3]), Buffer.from(' end')]);
  assert.deepEqual(parseNotifyMessage(bytes), [{ kind: 'status', text: 'bad \uFFFD\uFFFD end' }]);
  assert.equal(statusOf('x'.repeat(200)), 'x'.repeat(200));
  assert.equal(statusOf('👋'.repeat(201)), `${'👋'.repeat(199)}…`);
});

test('any bytes can be parsed, and a status is always safe', () => {
  const line = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .constantFrom('STATUS=', 'READY=1', 'WATCHDOG_USEC=')
      .chain((start) => fc.string({ unit: 'binary' }).map((rest) => start + rest)),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc.array(line).map((lines) => new TextEncoder().encode(lines.join('\n'))),
      ),
      (bytes) => {
        for (const fact of parseNotifyMessage(bytes) ?? []) {
          if (fact.kind !== 'status') continue;
          assert.doesNotMatch(fact.text, /[\p{Cc}\p{Bidi_Control}]/u);
          assert.ok([...fact.text].length <= 200);
        }
      },
    ),
  );
});

test('of repeated assignments in a message only the last one counts', () => {
  assert.deepEqual(
    parse(`${'READY=1\n'.repeat(500)}STATUS=a\nWATCHDOG=1\nREADY=0\nSTATUS=b\nWATCHDOG=1\nFDSTORE=1\nFDSTORE=1`),
    [{ kind: 'ready' }, { kind: 'status', text: 'b' }, { kind: 'alive' }, { kind: 'unsupported', name: 'FDSTORE' }],
  );
});
