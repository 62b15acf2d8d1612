/** `log_multiline`: its default in [supervisord], and a warning where no target uses it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configOf, printed, readText } from './memory-source.ts';

const read = (own: string, head = ''): ReturnType<typeof readText> =>
  readText(`[supervisord]\n${head}[program:w]\ncommand=/bin/w\n${own}\n`);

test('a program has the pattern of [supervisord] or its own', () => {
  const patternOf = (own: string, head = ''): string | null | undefined =>
    configOf(read(own, head)).groups[0]?.processes[0]?.options.log_multiline;
  assert.equal(patternOf(''), null);
  assert.equal(patternOf('', 'log_multiline=^\\d{4}-\n'), '^\\d{4}-');
  assert.equal(patternOf('log_multiline=^\\S\nstdout_syslog=true', 'log_multiline=^\\d{4}-\n'), '^\\S');
});

test('a pattern that no target uses is a warning', () => {
  const warning =
    '/etc/supervisord.conf:4: [program:w] log_multiline: has no effect: it is for syslog, log servers, and the ' +
    'formats json and logfmt on /dev/stdout and /dev/stderr';
  const warningsOf = (own: string): string[] => printed(read(`log_multiline=^\\S\n${own}`).warnings);
  for (const own of ['', 'stdout_logfile=/dev/stdout', 'stdout_logfile=/var/log/w.log\nlog_format=json'])
    assert.deepEqual(warningsOf(own), [warning], own);
  for (const own of [
    'stdout_logfile=/dev/stdout\nlog_format=json',
    'stderr_logfile=/dev/stderr\nlog_format=logfmt',
    'stdout_logfile=syslog://h',
    'stderr_syslog=true',
  ])
    assert.deepEqual(warningsOf(own), [], own);
  assert.deepEqual(printed(read('', 'log_multiline=^\\S\n').warnings), []);
});
