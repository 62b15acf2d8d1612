/** The effective configuration by sections: values, places, defaults, and hidden secrets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type EffectiveOption,
  type EffectiveSection,
  effectiveSections,
} from '../../../src/config/effective-sections.ts';
import { configOf, readText } from './memory-source.ts';

function sectionsOf(text: string): readonly EffectiveSection[] {
  const config = configOf(readText(text));
  return effectiveSections(config, config.groups);
}

function find(
  sections: readonly EffectiveSection[],
  section: string,
  hasDefaults = false,
): Map<string, EffectiveOption> {
  const found = sections.find((candidate) => (candidate.process ?? candidate.section) === section);
  return new Map(found?.options(hasDefaults).map((option) => [option.name, option]));
}

const TEXT = `[supervisord]
identifier=main
environment=TOKEN="t0psecret",B=b
log_format=json
[inet_http_server]
port=127.0.0.1:9001
username=bob
password=t0psecret
[program-default]
stopwaitsecs=5
[program:web]
command=/bin/web --password t0psecret
environment=DB_PASSWORD="t0psecret"
numprocs=2
process_name=%(program_name)s_%(process_num)d
stdout_logfile=syslog+tcp://log:514
[eventlistener:tail]
command=/bin/tail
events=TICK_5
buffer_size=20
[fcgi-program:php]
command=/bin/php
socket=tcp://127.0.0.1:9000
[notify:mail]
url=https://hooks.example/t0psecret
headers=X-Key="t0psecret"
events=fatal
`;

test('each section has its options with their places', () => {
  const sections = sectionsOf(TEXT);
  assert.deepEqual(
    sections.map(({ section, process: name }) => [section, name]),
    [
      ['supervisord', null],
      ['inet_http_server', null],
      ['eventlistener:tail', 'tail'],
      ['fcgi-program:php', 'php'],
      ['program:web', 'web:web_0'],
      ['program:web', 'web:web_1'],
      ['notify:mail', null],
    ],
  );
  const web = find(sections, 'web:web_1');
  assert.deepEqual([web.get('stopwaitsecs')?.value, web.get('stopwaitsecs')?.place?.line], [5, 10]);
  assert.deepEqual([web.get('process_name')?.value, web.get('process_name')?.place?.line], ['web_1', 15]);
  assert.deepEqual([web.get('log_format')?.value, web.get('log_format')?.place], ['json', null]);
  assert.equal(web.has('startsecs'), false);
  assert.equal(find(sections, 'web:web_1', true).get('startsecs')?.value, 1);
  assert.equal(find(sections, 'tail').get('buffer_size')?.place?.line, 20);
  assert.equal(find(sections, 'php').get('socket')?.place?.line, 23);
  assert.equal(find(sections, 'supervisord').get('identifier')?.place?.line, 2);
  assert.equal(find(sections, 'inet_http_server').get('username')?.place?.line, 7);
});

test('no secret is shown, with and without defaults', () => {
  const sections = sectionsOf(TEXT);
  for (const hasDefaults of [false, true]) {
    const text = JSON.stringify(sections.map(({ options }) => options(hasDefaults)));
    assert.ok(!text.includes('t0psecret'), text);
  }
  assert.deepEqual(find(sections, 'supervisord').get('environment')?.value, { TOKEN: '***', B: '***' });
  assert.equal(find(sections, 'web:web_0').get('command')?.value, '/bin/web --password ***');
  assert.equal(find(sections, 'inet_http_server').get('password')?.value, '***');
});

test('servers whose section is not known have no places', () => {
  const two = '[supervisord]\n[inet_http_server:a]\nport=127.0.0.1:1\n[inet_http_server:b]\nport=127.0.0.1:2\n';
  const known = sectionsOf(two);
  assert.deepEqual(
    known.slice(1).map(({ section }) => section),
    ['inet_http_server:a', 'inet_http_server:b'],
  );
  // The second server, which is moved to loopback, has the address of the first, and is left out.
  const moved = sectionsOf(
    '[supervisord]\n[inet_http_server:a]\nport=127.0.0.1:1\n[inet_http_server:b]\nport=0.0.0.0:1\n',
  );
  assert.deepEqual(
    moved.slice(1).map(({ section, options }) => [section, options(false).map(({ place }) => place)]),
    [['inet_http_server', [null]]],
  );
});
