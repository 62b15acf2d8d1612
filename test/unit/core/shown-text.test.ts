/** Text from outside in our messages: bounded, on one line, and safe for a terminal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeControls, fitMessage, showText } from '../../../src/core/shown-text.ts';

test('characters that control a terminal or break a line are escaped', () => {
  assert.equal(
    showText('a\x1b[31m\x07\r\n\tb\u009bc\u2028d\u202ee\ud800f\0'),
    'a\\u001b[31m\\u0007\\r\\n\\tb\\u009bc\\u2028d\\u202ee\\ud800f\\u0000',
  );
  assert.equal(escapeControls('é \u{1f600} "x" \\ <b>'), 'é \u{1f600} "x" \\ <b>');
});

test('long text is cut', () => {
  assert.equal(showText('x'.repeat(41)), `${'x'.repeat(40)}…`);
  assert.equal(showText('x'.repeat(40)), 'x'.repeat(40));
  assert.equal(showText('abc', 2), 'ab…');
  assert.ok(showText('\x1b'.repeat(1e6)).length < 300);
  assert.ok(fitMessage('\x1b'.repeat(1e6)).length < 100_000);
});

test('a message keeps its line ends and tabs, and no other control character', () => {
  assert.equal(fitMessage('two\n\tlines\x1b]0;x\x07\r'), 'two\n\tlines\\u001b]0;x\\u0007\\r');
});
