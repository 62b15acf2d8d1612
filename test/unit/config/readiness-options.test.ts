import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configOf, printed, readText } from './memory-source.ts';

const sectionOf = (options: string): string => `[supervisord]\n[program:web]\ncommand=x\n${options}\n`;
const errorsOf = (options: string): string[] => printed(readText(sectionOf(options)).errors);
const optionsOf = (options: string): (number | string | null)[] => {
  const found = configOf(readText(sectionOf(options))).groups[0]?.processes[0]?.options;
  return [found?.notification_fd ?? null, found?.notify ?? null, found?.watchdog_sec ?? null];
};

test('a program reports its readiness by a descriptor, by a socket, or not at all', () => {
  assert.deepEqual(optionsOf(''), [null, null, null]);
  assert.deepEqual(optionsOf('notification_fd=3'), [3, null, null]);
  assert.deepEqual(optionsOf('notify=sd'), [null, 'sd', null]);
  assert.deepEqual(optionsOf('notify=sd\nwatchdog_sec=1m30s'), [null, 'sd', 90]);
  assert.deepEqual(optionsOf('watchdog_sec=0'), [null, null, 0]);
});

test('options that have no effect cause a warning', () => {
  assert.deepEqual(
    printed(
      readText(sectionOf('notify=sd\nwatchdog_sec=5\nautostart=false\nstdout_logfile=NONE\nstderr_logfile=NONE'))
        .warnings,
    ),
    [],
  );
  assert.deepEqual(
    printed(readText(sectionOf('notification_fd=3\nstdout_logfile=NONE\nstderr_logfile=NONE')).warnings),
    [],
  );
});

test('the error of an invalid value has file, line and advice', () => {
  assert.match(
    errorsOf('notification_fd=2')[0] ?? '',
    /^\/etc\/supervisord\.conf:4: \[program:web\] notification_fd: .*\b3\b.*\b1023\b/,
  );
  assert.match(
    errorsOf('notification_fd=out')[0] ?? '',
    /^\/etc\/supervisord\.conf:4: \[program:web\] notification_fd: .*\b3\b.*\b1023\b/,
  );
  assert.match(errorsOf('notify=systemd')[0] ?? '', /^\/etc\/supervisord\.conf:4: \[program:web\] notify: .*\bsd\b/);
  assert.match(
    errorsOf('notify=sd\nwatchdog_sec=soon')[0] ?? '',
    /^\/etc\/supervisord\.conf:5: \[program:web\] watchdog_sec: .*a duration/,
  );
});

test('the error of a contradiction names a solution', () => {
  assert.deepEqual(errorsOf('watchdog_sec=5'), [
    '/etc/supervisord.conf:4: [program:web] watchdog_sec: needs notify=sd, by which the program sends ' +
      'WATCHDOG=1; add it, or use healthcheck',
  ]);
  assert.deepEqual(errorsOf('notify=sd\nnotification_fd=3'), [
    '/etc/supervisord.conf:5: [program:web] notification_fd: cannot be set together with notify: a program ' +
      'reports its readiness in one way; remove one of the two',
  ]);
  for (const other of ['notify=sd', 'notification_fd=3'])
    assert.deepEqual(errorsOf(`${other}\nready_log=ready`), [
      '/etc/supervisord.conf:5: [program:web] ready_log: cannot be set together with notify or notification_fd: a ' +
        'program reports its readiness in one way; remove one of them',
    ]);
  assert.deepEqual(errorsOf('ready_timeout=5'), [
    '/etc/supervisord.conf:4: [program:web] ready_timeout: needs ready_log, notification_fd or notify=sd, by which ' +
      'the program is ready; add one of them',
  ]);
});

test('ready_log is a pattern, and the error of another text says why', () => {
  const found = configOf(readText(sectionOf('ready_log=(?i)port \\d+$\nready_timeout=1m'))).groups[0]?.processes[0]
    ?.options;
  assert.deepEqual([found?.ready_log, found?.ready_timeout], ['(?i)port \\d+$', 60]);
  assert.deepEqual(errorsOf('ready_log=a(?=b)'), [
    '/etc/supervisord.conf:4: [program:web] ready_log: "a(?=b)" is not a valid pattern: "(?=" looks ahead, which ' +
      'takes backtracking',
  ]);
  assert.match(
    errorsOf('ready_log=ready\nready_timeout=0')[0] ?? '',
    /^.*:5: \[program:web\] ready_timeout: "0" is not/,
  );
});
