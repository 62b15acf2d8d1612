/** The JSON Schemas: valid configurations and environments are accepted, wrong names and types are not. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { addText, emptyDocument } from '../../../src/config/dialect.ts';
import { formatSample } from '../../../src/config/reference.ts';
import { makeSchema, type SchemaName } from '../../../src/config/schema.ts';

function compile(name: SchemaName): ValidateFunction {
  return new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true }).compile(makeSchema(name));
}

const isConfiguration = compile('configuration');
const isEnvironment = compile('environment');

/** Converts the text of a configuration file to an object. */
function toObject(text: string): Record<string, Record<string, string>> {
  const document = emptyDocument();
  addText(document, text, 'x.conf', '/');
  return Object.fromEntries(
    [...document.sections].map(([name, { options }]) => [
      name,
      Object.fromEntries([...options].map(([option, { value }]) => [option, value])),
    ]),
  );
}

const SHARED = join(import.meta.dirname, '../../../../shared/conformance/config');

test(
  'the schema accepts the configurations that Supervisor accepts',
  { skip: existsSync(SHARED) ? false : 'there is no ../shared/conformance/config' },
  () => {
    let accepted = 0;
    for (const file of readdirSync(SHARED).filter((name) => name.endsWith('.conf'))) {
      const path = join(SHARED, file);
      const { ok } = JSON.parse(readFileSync(path.replace(/conf$/, 'json'), 'utf8')) as { ok: boolean };
      if (!ok) continue;
      const isValid = isConfiguration(toObject(readFileSync(path, 'utf8')));
      // Supervisor ignores options and sections that it does not know.
      const errors = (isConfiguration.errors ?? []).filter(({ keyword }) => keyword !== 'additionalProperties');
      assert.deepEqual(errors, [], file);
      if (isValid) accepted++;
    }
    assert.ok(accepted > 100, `only ${accepted} have known options only`);
  },
);

test('the schema accepts the sample with every option', () => {
  const all = formatSample()
    .split('\n')
    .map((line) => line.replace(/^;(?=[[a-z])/, ''))
    .join('\n');
  assert.ok(isConfiguration(toObject(all)), JSON.stringify(isConfiguration.errors));
});

test('the schema accepts JSON values, and refuses wrong types and names', () => {
  const accepted = [
    {
      'program:web': {
        command: 'web',
        autostart: true,
        startsecs: 3,
        exitcodes: [0, 2],
        environment: { A: 'b', N: 1 },
      },
    },
    { 'program:web': { command: 'web', autorestart: 'Unexpected', numprocs: '%(ENV_N)s', stopwaitsecs: '5' } },
    { 'program:web': { restartpause: '1m30s', max_memory: '300MB', rlimit_nofile: '1024:unlimited', umask: '022' } },
    { 'group:all': { programs: ['web', 'worker'] }, 'rpcinterface:x': { anything: 'else' }, unix_http_server: {} },
    { 'inet_http_server:public': { port: '127.0.0.1:9001' }, supervisord: { loglevel: 'INFO' } },
  ];
  for (const value of accepted) assert.ok(isConfiguration(value), JSON.stringify([value, isConfiguration.errors]));
  for (const value of [
    { 'program:web': { command: 5 } },
    { 'program:web': { autostart: 'maybe' } },
    { 'program:web': { numprocs: 'two' } },
    { 'program:web': { numprocs: 1.5 } },
    { 'program:web': { autostrat: true } },
    { 'program:web': { exitcodes: [0, 256] } },
    { 'program:web': { restartpause: -1 } },
    { 'program:web': { umask: '089' } },
    { 'progam:web': { command: 'x' } },
    { supervisord: { loglevel: 'loud' } },
    { supervisord: 'x' },
    [],
  ])
    assert.ok(!isConfiguration(value), JSON.stringify(value));
});

test('the schema of the environment knows the variables, and those of others', () => {
  assert.ok(
    isEnvironment({
      PATH: '/bin',
      ONEVISOR_CONF: '/x',
      ONEVISOR_PROGRAM_WEB: 'web -p 80',
      ONEVISOR_PROGRAM_WEB__AUTORESTART: 'true',
      ONEVISOR_PROGRAM_MY_WEB__STARTSECS: 5,
      ONEVISOR_PROGRAM_WEB__startretries: '3',
      ONEVISOR_PROGRAM_DEFAULT__USER: 'app',
      ONEVISOR_SUPERVISORD__LOGLEVEL: 'warn',
      ONEVISOR_GROUP_ALL__PROGRAMS: 'a,b',
      ONEVISOR_EVENTLISTENER_E__EVENTS: 'TICK_5',
      ONEVISOR_EVENTLISTENER_E__COMMAND: 'listener',
      ONEVISOR_FCGI_PROGRAM_F__SOCKET: 'tcp://localhost:9000',
      ONEVISOR_UNIX_HTTP_SERVER__FILE: '/run/s.sock',
      ONEVISOR_INET_HTTP_SERVER__PORT: '9001',
    }),
    JSON.stringify(isEnvironment.errors),
  );
  for (const value of [
    { ONEVISOR_PROGRAM_WEB__AUTOSTRAT: 'true' },
    { ONEVISOR_PROGRAM_WEB__AUTOSTART: 'maybe' },
    { ONEVISOR_PROGRAM_: 'x' },
    { ONEVISOR_PROGRAM_WEB: 5 },
    { ONEVISOR_CONFIG: '/x' },
    { ONEVISOR_SUPERVISORD_LOGLEVEL: 'warn' },
    { ONEVISOR_GROUP_ALL: 'a' },
  ])
    assert.ok(!isEnvironment(value), JSON.stringify(value));
});
