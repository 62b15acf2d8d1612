/** metrics_auth in both sections that have it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configOf, printed, readText } from './memory-source.ts';

const sections = (value: string): string =>
  `[supervisord]\n[unix_http_server]\nfile=/run/s\nmetrics_auth=${value}\n[inet_http_server]\n` +
  `port=127.0.0.1:9001\nmetrics_auth=${value}\n`;

test('metrics_auth sets the access to the metrics', () => {
  for (const [value, expected] of [
    ['true', true],
    ['no', false],
    ['FALSE', false],
  ] as const) {
    const reading = readText(sections(value));
    const config = configOf(reading);
    assert.deepEqual([config.unixServers[0]?.metrics_auth, config.inetServers[0]?.metrics_auth], [expected, expected]);
    assert.deepEqual(printed(reading.warnings), []);
  }
});

test('the error of an invalid value has file, line and advice', () => {
  const errors = printed(readText(sections('maybe')).errors);
  assert.match(
    errors[0] ?? '',
    /^\/etc\/supervisord\.conf:4: \[unix_http_server\] metrics_auth: "maybe" .*true.*false/,
  );
  assert.match(
    errors[1] ?? '',
    /^\/etc\/supervisord\.conf:7: \[inet_http_server\] metrics_auth: "maybe" .*true.*false/,
  );
});
