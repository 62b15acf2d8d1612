/** Alerts: their events, their forms, templates, headers and filters. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  alertFieldNames,
  alertVariables,
  formatAlertJson,
  isNumberField,
  sayLeftOut,
  SUMMARY,
  withLeftOut,
} from '../../../src/core/alert.ts';
import { alertTypes, chooseAlertEvent, findAlertEvent, isForListeners } from '../../../src/core/alert-events.ts';
import { isHeader, parseHeaders } from '../../../src/core/alert-headers.ts';
import { createProgramFilter } from '../../../src/core/alert-programs.ts';
import { AlertTemplateError, parseAlertTemplate, renderAlert } from '../../../src/core/alert-template.ts';
import { parseWebUrl } from '../../../src/core/web-url.ts';
import { alertOf } from './alerts.ts';

test('names of events: words of our own and types of Supervisor, in any case', () => {
  const cases: Array<[string, string | null]> = [
    ['fatal', 'fatal'],
    ['Exited_Unexpectedly', 'exited-unexpectedly'],
    ['process_state_fatal', 'PROCESS_STATE_FATAL'],
    ['PROCESS_STATE', 'PROCESS_STATE'],
    ['PROCESS_GROUP_ADDED', 'PROCESS_GROUP_ADDED'],
    ['TICK_5', null],
    ['EVENT', null],
    ['nothing', null],
  ];
  for (const [name, found] of cases) assert.equal(findAlertEvent(name), found, name);
  for (const name of ['EVENT', 'tick_5', 'TICK', 'PROCESS_LOG_STDOUT', 'PROCESS_COMMUNICATION', 'REMOTE_COMMUNICATION'])
    assert.ok(isForListeners(name), name);
  for (const name of ['PROCESS_STATE', 'fatal', 'EVENTS']) assert.ok(!isForListeners(name), name);
  assert.equal(alertTypes.length, 15);
});

test('the first name that an occurrence has is chosen', () => {
  const events = ['fatal', 'gave-up', 'PROCESS_STATE_FATAL'] as const;
  const cases: Array<[string[], string | null]> = [
    [['fatal', 'PROCESS_STATE'], 'fatal'],
    [['PROCESS_STATE', 'fatal'], 'PROCESS_STATE_FATAL'],
    [['unhealthy', 'gave-up'], 'gave-up'],
    [['PROCESS_STATE_FATAL'], 'PROCESS_STATE_FATAL'],
    [['PROCESS_GROUP', 'shutdown'], null],
    [[], null],
  ];
  for (const [wanted, chosen] of cases) assert.equal(chooseAlertEvent(wanted, events), chosen, wanted.join(' '));
});

test('an alert as JSON and as variables', () => {
  const alert = alertOf({ last_line: 'a\0b\udcff"', pid: 7 });
  const json = JSON.parse(formatAlertJson(alert)) as Record<string, unknown>;
  assert.deepEqual(Object.keys(json), alertFieldNames);
  assert.equal(json['last_line'], 'a\0b\ufffd"');
  assert.equal(json['signal'], null);
  assert.equal(json['exit_code'], 3);
  const variables = alertVariables(alertOf({ last_line: `a\0${'b'.repeat(5000)}` }));
  assert.equal(variables.get('NOTIFY_EVENT'), 'fatal');
  assert.equal(variables.get('NOTIFY_EXIT_CODE'), '3');
  assert.equal(variables.get('NOTIFY_SIGNAL'), '');
  assert.equal(variables.get('NOTIFY_LAST_LINE'), `a\ufffd${'b'.repeat(4094)}`);
  assert.equal(variables.size, alertFieldNames.length);
});

test('the number of events that were left out', () => {
  const alert = alertOf();
  assert.equal(withLeftOut(alert, 0), alert);
  assert.equal(sayLeftOut(alert), alert);
  const more = withLeftOut(withLeftOut(alert, 2), 3);
  assert.equal(more.left_out, 5);
  assert.equal(sayLeftOut(more).message, 'web is FATAL: it fails (5 more left out before this)');
  const summary = { ...more, event: SUMMARY };
  assert.equal(sayLeftOut(summary), summary);
});

test('a template with facts', () => {
  const template = parseAlertTemplate(
    '{"text": "100%% %(message)s [%(signal)s]", "code": %(exit_code)d, "pid": %(pid)d, "p": "%(pid)s%(exit_code)s"}',
  );
  assert.deepEqual(JSON.parse(renderAlert(template, alertOf())), {
    text: '100% web is FATAL: it fails []',
    code: 3,
    pid: null,
    p: '3',
  });
  assert.equal(renderAlert(parseAlertTemplate('"x"'), alertOf()), '"x"');
  assert.equal(renderAlert(parseAlertTemplate('%(left_out)d'), alertOf()), '0');
});

test('a template stays JSON, whatever the facts are', () => {
  const template = parseAlertTemplate('{"a": ["%(message)s"], "%(reason)s": "%(last_line)s"}');
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }),
      fc.option(fc.string({ unit: 'binary' })),
      (message, reason, line) => {
        const json = JSON.parse(renderAlert(template, alertOf({ message, reason, last_line: line }))) as object;
        assert.deepEqual(
          json,
          JSON.parse(
            JSON.stringify({
              a: [message.toWellFormed()],
              [reason.toWellFormed()]: line?.toWellFormed() ?? '',
            }),
          ),
        );
      },
    ),
  );
});

test('a wrong template', () => {
  const cases: Array<[string, RegExp, boolean]> = [
    ['{"text": %(message)s}', /^the template is not JSON; for example/, true],
    ['{"text": "x"', /not JSON/, true],
    ['', /not JSON/, true],
    ['"%(nope)s"', /^"%\(nope\)s" is no fact of a notification; there are event, message,/, false],
    ['"%(message)d"', /^"%\(message\)d" must be %\(message\)s$/, false],
    ['"%(message)5s"', /must be %\(message\)s/, false],
    ['"%(message).5s"', /must be %\(message\)s/, false],
    ['"%(pid)x"', /must be %\(pid\)s, or %\(pid\)d without quotes/, false],
    ['"100%"', /^"%"" has no name; a percent sign is written %%/, false],
    ['"%(message"', /closing parenthesis/, false],
  ];
  for (const [text, message, isBroken] of cases)
    assert.throws(
      () => parseAlertTemplate(text),
      (error) => error instanceof AlertTemplateError && message.test(error.message) && error.isBroken === isBroken,
      text,
    );
  assert.ok(isNumberField('pid') && !isNumberField('message'));
});

test('headers on lines', () => {
  assert.deepEqual(
    parseHeaders('Authorization: Bearer a:b\r\n\n  \nX-Empty:\n'),
    new Map([
      ['Authorization', 'Bearer a:b'],
      ['X-Empty', ''],
    ]),
  );
  assert.deepEqual(parseHeaders(''), new Map());
  for (const text of ['token', ': x', 'A B: x', 'X: a\u0001', 'X: €', 'X\u00e4: a'])
    assert.equal(parseHeaders(text), null, text);
  assert.ok(isHeader('X-Token', 'caf\u00e9\t~'));
});

test('names and patterns of programs', () => {
  const web = { name: 'web', group: 'web', program: 'web' };
  const worker = { name: 'worker_1', group: 'jobs', program: 'worker' };
  const cases: Array<[string[], boolean, boolean]> = [
    [['*'], true, true],
    [['web'], true, false],
    [['worker'], false, true],
    [['worker_1'], false, true],
    [['jobs'], false, true],
    [['jobs:*'], false, true],
    [['jobs:worker_1'], false, true],
    [['jobs:w*'], false, true],
    [['w*'], true, true],
    [['*b'], true, false],
    [['x', 'web'], true, false],
    [['web:*'], true, false],
    [['x*'], false, false],
    [[], false, false],
  ];
  for (const [words, hasWeb, hasWorker] of cases) {
    const filter = createProgramFilter(words);
    assert.deepEqual([filter.hasProcess(web), filter.hasProcess(worker)], [hasWeb, hasWorker], words.join(' '));
  }
  assert.ok(createProgramFilter(['jobs:*']).hasGroup('jobs'));
  assert.ok(createProgramFilter(['j*']).hasGroup('jobs'));
  assert.ok(!createProgramFilter(['web']).hasGroup('jobs'));
});

test('URLs of the web', () => {
  assert.equal(parseWebUrl('https://a.example/x')?.host, 'a.example');
  assert.equal(parseWebUrl('HTTP://[::1]:80/')?.protocol, 'http:');
  for (const text of ['ftp://a/', 'a.example', '', 'https://']) assert.equal(parseWebUrl(text), null, text);
});
