/** The options of health checks: their valid values, and the errors for invalid values, with place and advice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProbe } from '../../../src/core/probe.ts';
import { printed, readText } from './memory-source.ts';

const HEAD = '[supervisord]\n[program:web]\ncommand=x\n';

const wrong: ReadonlyArray<readonly [string, string]> = [
  [
    'healthcheck=',
    'the value is empty; expected a check: http://host:port/path, https://…, tcp://host:port, unix:///path, ' +
      'or a command',
  ],
  [
    'healthcheck=redis://localhost',
    '"redis://localhost" is not a check: http://host:port/path, https://…, tcp://host:port, unix:///path, or a command',
  ],
  ['healthcheck=http://', '"http://" is not a URL, for example http://localhost:8080/health'],
  ['healthcheck=http://localhost:x/', '"http://localhost:x/" is not a URL, for example http://localhost:8080/health'],
  ['healthcheck=tcp://localhost', '"tcp://localhost" is not an address, for example tcp://localhost:5432'],
  ['healthcheck=tcp://localhost:0', '"tcp://localhost:0" is not an address, for example tcp://localhost:5432'],
  ['healthcheck=tcp://localhost:80/x', '"tcp://localhost:80/x" is not an address, for example tcp://localhost:5432'],
  [
    'healthcheck=unix://run/s',
    '"unix://run/s" is not a socket with an absolute path, for example unix:///run/app.sock',
  ],
  ['healthcheck=sh -c "x', 'cannot be split into words: No closing quotation; close the quote, or write it as \\"'],
  ['healthcheck_interval=0', '"0" is not a duration of 1ms or more, for example 500ms, 30s or 1m30s'],
  ['healthcheck_interval=-1', '"-1" is not a duration: a number of seconds, or with units: 500ms, 30s, 1m30s, 2h, 1d'],
  [
    'healthcheck_interval=often',
    '"often" is not a duration: a number of seconds, or with units: 500ms, 30s, 1m30s, 2h, 1d',
  ],
  ['healthcheck_timeout=0', '"0" is not a duration of 1ms or more, for example 500ms, 30s or 1m30s'],
  ['healthcheck_start_interval=0s', '"0s" is not a duration of 1ms or more, for example 500ms, 30s or 1m30s'],
  [
    'healthcheck_start_period=-5',
    '"-5" is not a duration: a number of seconds, or with units: 500ms, 30s, 1m30s, 2h, 1d',
  ],
  ['healthcheck_retries=0', '"0" is not a whole number of 1 or more'],
  ['healthcheck_retries=many', '"many" is not a whole number of 1 or more'],
  ['healthcheck_action=reboot', '"reboot" is not one of none, restart, exit'],
];
for (const [line, reason] of wrong) {
  test(`${line} is an error with advice`, () => {
    const option = line.slice(0, line.indexOf('='));
    assert.deepEqual(printed(readText(`${HEAD}${line}\n`).errors), [
      `/etc/supervisord.conf:4: [program:web] ${option}: ${reason}`,
    ]);
  });
}

test('each option accepts its valid values without a warning', () => {
  const lines = [
    'healthcheck=HTTPS://localhost:80%(process_num)02d/health?full=1',
    'healthcheck_interval=500ms',
    'healthcheck_timeout=1ms',
    'healthcheck_retries=1',
    'healthcheck_start_period=0',
    'healthcheck_start_interval=1m30s',
    'healthcheck_action=Restart',
  ];
  const { config, errors, warnings } = readText(`${HEAD}${lines.join('\n')}\n`);
  assert.deepEqual([errors, warnings], [[], []]);
  const options = config?.groups[0]?.processes[0]?.options;
  assert.deepEqual(options?.healthcheck, parseProbe('HTTPS://localhost:8000/health?full=1'));
  assert.deepEqual(
    [
      options?.healthcheck_interval,
      options?.healthcheck_timeout,
      options?.healthcheck_retries,
      options?.healthcheck_start_period,
      options?.healthcheck_start_interval,
      options?.healthcheck_action,
    ],
    [0.5, 0.001, 1, 0, 90, 'restart'],
  );
});

test("without these options there is no check, and the numbers are Docker's", () => {
  const options = readText(HEAD).config?.groups[0]?.processes[0]?.options;
  assert.deepEqual(
    [
      options?.healthcheck,
      options?.healthcheck_interval,
      options?.healthcheck_timeout,
      options?.healthcheck_retries,
      options?.healthcheck_start_period,
      options?.healthcheck_start_interval,
      options?.healthcheck_action,
    ],
    [null, 30, 30, 3, 0, 5, 'none'],
  );
});
