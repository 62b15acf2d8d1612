/** The sections [notify:x]: values, rules, secrets, and what a change of them is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffNotifications } from '../../../src/config/diff.ts';
import { describeReading, formatConfig } from '../../../src/config/effective.ts';
import type { NotifyConfig } from '../../../src/config/model.ts';
import { printed, readText } from './memory-source.ts';

const HEAD =
  '[supervisord]\n[program:web]\ncommand=web\n[program:worker]\ncommand=w\nnumprocs=2\nprocess_name=w%(process_num)d\n';
const read = (text: string, env = {}): ReturnType<typeof readText> => readText(HEAD + text, { env });

function sections(text: string, env = {}): readonly NotifyConfig[] {
  const { config, errors } = read(text, env);
  assert.deepEqual(printed(errors), []);
  return config?.notifications ?? [];
}

test('defaults and values', () => {
  const [hook, mail] = sections(
    '[notify:hook]\nevents=FATAL, process_state_backoff\nurl=https://%(ENV_U)s@hooks.example.org/T0/B0?a=b\n' +
      'template={"text": "%(message)s %(host)s"}\nheaders=X-Token="geheim"\nheader_file=h\nca_file=/ca.pem\n' +
      'programs=web worker:*\nthrottle=5m\ntimeout=2s\nretries=0\n' +
      '[notify:mail]\nevents=shutdown\ncommand=/bin/mail -s x\nuser=app\nenvironment=TO="a@b"\ndirectory=/tmp\n',
    { U: 'me:pass' },
  );
  const { events, programs, url, header_file: headerFile, throttle, retries, timeout } = hook?.options ?? {};
  assert.deepEqual(
    { events, programs, url: url?.href, headerFile, throttle, retries, timeout },
    {
      events: ['fatal', 'PROCESS_STATE_BACKOFF'],
      programs: ['web', 'worker:*'],
      url: 'https://me:pass@hooks.example.org/T0/B0?a=b',
      headerFile: '/home/me/h',
      throttle: 300,
      retries: 0,
      timeout: 2,
    },
  );
  assert.equal(hook?.options.template?.text, '{"text": "%(message)s %(host)s"}');
  assert.deepEqual([mail?.options.programs, mail?.options.throttle], [['*'], 60]);
  const runner = mail?.runner;
  assert.deepEqual([runner?.group, runner?.name, runner?.options.user?.user], ['notify:mail', 'mail', 'app']);
  assert.deepEqual([...(runner?.options.environment ?? [])], [['TO', 'a@b']]);
  assert.equal(runner?.options.directory, '/tmp');
  assert.equal(runner?.options.stopwaitsecs, 10);
  assert.equal(runner?.options.tail_bytes, 65_536);
});

test('variables of the environment make sections', () => {
  const [ops] = sections('', { ONEVISOR_NOTIFY_OPS__EVENTS: 'fatal', ONEVISOR_NOTIFY_OPS__URL: 'http://localhost/' });
  assert.deepEqual([ops?.name, ops?.options.url?.href], ['ops', 'http://localhost/']);
  const { errors } = read('', { ONEVISOR_NOTIFY_OPS: 'x', ONEVISOR_NOTIFY_OPS__UTL: 'x' });
  assert.match(printed(errors).join('\n'), /ONEVISOR_NOTIFY_OPS: an option must follow, for example /);
  assert.match(
    printed(errors).join('\n'),
    /\[notify:ops\] has no option "utl" \(did you mean ONEVISOR_NOTIFY_OPS__URL\?\)/,
  );
});

test('mistakes are errors with file, line and option', () => {
  const cases: Array<[string, RegExp]> = [
    ['[notify:x]\nurl=http://a/', /:8: \[notify:x\] events: is missing; add it, for example events=fatal/],
    ['[notify:x]\nevents=\nurl=http://a/', /:9: \[notify:x\] events: the value is empty; expected names of events/],
    [
      '[notify:x]\nevents=TICK_5\nurl=http://a/',
      /"TICK_5" is for listeners only; use an \[eventlistener:x\] with events=TICK_5/,
    ],
    ['[notify:x]\nevents=boom\nurl=http://a/', /there is no event named "boom"; there are fatal, exited-unexpectedly,/],
    ['[notify:x]\nevents=fatal', /:8: \[notify:x\] command: is missing; add command=…, url=https:\/\/… or url_file=/],
    [
      '[notify:x]\nevents=fatal\ncommand=a\nurl=http://a/',
      /:11: \[notify:x\] url: is set, and command too; make a \[notify:x\]/,
    ],
    ['[notify:x]\nevents=fatal\nurl=http://a/\nurl_file=/u', /url_file: is set, and url too/],
    ['[notify:x]\nevents=fatal\ncommand=a\ntemplate={}', /template: is for url or url_file only; remove it/],
    ['[notify:x]\nevents=fatal\ncommand=a\nheaders=A="b"', /headers: is for url or url_file only; remove it/],
    ['[notify:x]\nevents=fatal\nurl=http://a/\nuser=app', /user: is for command only; remove it/],
    [
      '[notify:x]\nevents=fatal\nurl=http://a/\nprograms=wbe',
      /programs: there is no program, group or process named "wbe" \(did you mean web\?\)/,
    ],
    ['[notify:x]\nevents=fatal\nurl=http://a/\ntimeout=0', /timeout: "0" is not a duration from 1ms to 600s/],
    ['[notify:x]\nevents=fatal\nurl=http://a/\ntimeout=1h', /timeout: "1h" is not a duration/],
    ['[notify:x]\nevents=fatal\nurl=http://a/\nheaders=A B="c"', /headers: /],
    [
      '[notify:x]\nevents=fatal\nurl=http://a/\nheaders=A="b\u0001geheim"',
      /headers: a name or a value is no HTTP header/,
    ],
    ['[notify:x]\nevents=fatal\nurl=http://a/\ntemplate={"a": "b', /the template is not JSON/],
    [
      '[notify:x]\nevents=fatal\nurl=http://a/\ntemplate={"a": "b ;c"}',
      /the text after " ;" is a comment: write it without a space/,
    ],
    ['[notify:x]\nevents=fatal\nurl=http://a/\ntemplate="%(x)s"', /"%\(x\)s" is no fact of a notification/],
    ['[notify:x]\nevents=fatal\nurl=ftp://geheim/', /:10: \[notify:x\] url: the value is not shown, .* expected a URL/],
    ['[notify:a b]\nevents=fatal\nurl=http://a/', /the name must not contain " "/],
  ];
  for (const [text, message] of cases) {
    const all = printed(read(text).errors).join('\n');
    assert.match(all, message, text);
    assert.match(all, /^\/etc\/supervisord\.conf:\d+: \[notify:/);
    assert.doesNotMatch(all, /geheim/);
  }
});

test('warnings: unknown options, patterns without a process', () => {
  const { warnings } = read('[notify:x]\nevents=fatal\nurl=http://a/\nprograms=x*\nurls=1\n');
  assert.deepEqual(printed(warnings), [
    '/etc/supervisord.conf:11: [notify:x] programs: "x*" matches no process',
    '/etc/supervisord.conf:12: [notify:x] urls: there is no such option here, it is ignored (did you mean url?)',
  ]);
  assert.match(printed(read('[notfy:x]\na=b\n').warnings)[0] ?? '', /did you mean notify:x\?/);
});

test('check shows neither URLs nor headers nor variables', () => {
  const reading = read(
    '[notify:a]\nevents=fatal\nurl=https://u:geheim@hooks.example.org/geheim?geheim\nheaders=X="geheim"\n' +
      '[notify:b]\nevents=fatal\ncommand=mail\nenvironment=P="geheim"\n' +
      '[notify:c]\nevents=fatal\nurl=http://a.example/\n',
  );
  const json = JSON.stringify(describeReading(reading));
  assert.ok(reading.config !== null);
  const text = formatConfig(reading.config, false);
  for (const shown of [json, text]) {
    assert.doesNotMatch(shown, /geheim/);
    assert.match(shown, /https:\/\/hooks\.example\.org\/\*\*\*/);
    assert.match(shown, /http:\/\/a\.example\//);
  }
  assert.match(json, /"headers":"\*\*\*"/);
  assert.match(text, /\[notify:b\]\nevents=fatal\ncommand=mail\nenvironment=\*\*\*/);
});

test('changes of sections', () => {
  const before = sections('[notify:a]\nevents=fatal\nurl=http://a/1\n[notify:b]\nevents=fatal\nurl=http://b/\n');
  const after = sections('[notify:a]\nevents=fatal\nurl=http://a/2\n[notify:c]\nevents=fatal\nurl=http://c/\n');
  assert.deepEqual(diffNotifications(before, after), { added: ['c'], removed: ['b'], changed: ['a'] });
  const same = sections('\n\n[notify:a]\nevents=fatal\nurl=http://a/1\n[notify:b]\nevents=fatal\nurl=http://b/\n');
  assert.deepEqual(diffNotifications(before, same), { added: [], removed: [], changed: [] });
});
