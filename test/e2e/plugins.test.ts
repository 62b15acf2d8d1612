/** Modules of `[rpcinterface:x]` in the built executable: both module formats, a broken module, and one in Python. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeResponse, encodeCall, type XmlRpcResponse, type XmlRpcValue } from '../../src/rpc/xmlrpc.ts';
import { launch, pid1SkipReason } from './launch.ts';

const skip = (await pid1SkipReason()) ?? false;

function call(socketPath: string, method: string, ...params: XmlRpcValue[]): Promise<XmlRpcResponse> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { socketPath, path: '/RPC2', method: 'POST', agent: false, headers: { 'Content-Type': 'text/xml' } },
      (response) => {
        let text = '';
        response
          .setEncoding('utf8')
          .on('data', (part: string) => (text += part))
          .on('end', () => resolve(decodeResponse(text)))
          .on('error', reject);
      },
    );
    asked.on('error', reject);
    asked.end(encodeCall(method, params));
  });
}

const CONFIG = `[supervisord]
[unix_http_server]
file=%FOLDER%/s.sock
[program:web]
command=sleep 1000
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[rpcinterface:team]
supervisor.rpcinterface_factory = ./team.mjs
greeting = good day
[rpcinterface:old]
supervisor.rpcinterface_factory = %FOLDER%/lib/old.cjs
[rpcinterface:broken]
supervisor.rpcinterface_factory = ./broken.js
[rpcinterface:twiddler]
supervisor.rpcinterface_factory = supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface
`;

const TEAM = `
import { readFileSync } from 'node:fs';
import { word } from './word.mjs';
export default ({ register, call }, { greeting }) => {
  register('greet', (who) => greeting + ', ' + who + word);
  register('pid', async (name) => (await call('supervisor.getProcessInfo', name)).pid, {
    help: 'Pid of a process',
    parameters: [{ name: 'name', help: 'Its name' }],
    returns: { type: 'int' },
  });
  register('hosts', () => readFileSync('/etc/hosts').length > 0);
  register('late', () => { setTimeout(() => { throw new Error('much later'); }, 0); });
};
`;

test(
  'methods of modules can be called like any other; a broken module or one in Python is a warning',
  { skip },
  async (t) => {
    const launched = await launch(t, {
      config: CONFIG,
      files: {
        'team.mjs': TEAM,
        'word.mjs': "export const word = '!';\n",
        'lib/old.cjs': "module.exports = (api) => api.register('where', () => __dirname);\n",
        'broken.js': 'throw new TypeError("not today");\n',
      },
    });
    const socket = join(launched.folder, 's.sock');
    await launched.waitForLine(/success: web entered RUNNING/);
    const value = async (method: string, ...params: XmlRpcValue[]): Promise<XmlRpcValue> => {
      const response = await call(socket, method, ...params);
      assert.ok(response.kind === 'value', JSON.stringify(response));
      return response.value;
    };
    assert.equal(await value('team.greet', 'all'), 'good day, all!');
    assert.equal(await value('team.hosts'), true);
    assert.equal(await value('old.where'), join(launched.folder, 'lib'));
    assert.equal(
      await value('team.pid', 'web'),
      ((await value('supervisor.getProcessInfo', 'web')) as { pid: number }).pid,
    );
    const methods = (await value('system.listMethods')) as string[];
    assert.deepEqual(
      methods.filter((name) => /^(team|old|broken|twiddler)\./.test(name)),
      ['old.where', 'team.greet', 'team.hosts', 'team.late', 'team.pid'],
    );
    assert.deepEqual(await value('system.methodSignature', 'team.pid'), ['int', 'string']);
    assert.match((await value('system.methodHelp', 'team.pid')) as string, /Pid of a process/);
    assert.deepEqual(await call(socket, 'team.pid', 'nobody'), { kind: 'fault', code: 10, text: 'BAD_NAME: nobody' });
    assert.deepEqual(await call(socket, 'team.greet'), { kind: 'fault', code: 2, text: 'INCORRECT_PARAMETERS' });

    const warnings = launched.stdout.all
      .filter((line) => line.includes(' WARN '))
      .map((line) => line.replace(/^.* WARN /, '').replaceAll(launched.folder, ''));
    assert.deepEqual(warnings, [
      '/supervisord.conf:15: [rpcinterface:twiddler] supervisor.rpcinterface_factory: ' +
        '"supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface" is Python and cannot be loaded; its methods ' +
        'are not available; to add programs at run time, write them to an included file and run supervisorctl update',
      'cannot load [rpcinterface:broken] from ./broken.js: not today; its methods are not available',
    ]);
    // Later errors of a module are logged, and PID 1 continues.
    assert.equal(await value('team.late'), true);
    await launched.waitForLine(/CRIT unexpected error: Error: much later/);
    assert.equal(await value('team.greet', 'you'), 'good day, you!');
    launched.signal('SIGHUP');
    await launched.waitForLine(/RPC interface 'team' initialized/, { count: 2 });
    await launched.waitForLine(/success: web entered RUNNING/, { count: 2 });
    assert.equal(await value('team.greet', 'again'), 'good day, again!');
  },
);

test(
  'TypeScript is refused, also where a module asks for its compiler, which is not in the executable',
  { skip },
  async (t) => {
    const sections = ['a.ts', 'b.mts:make', 'inner.mjs', 'asks.mjs'].map(
      (file, index) => `[rpcinterface:x${index}]\nsupervisor.rpcinterface_factory=./${file}\n`,
    );
    const launched = await launch(t, {
      config: `[supervisord]\n${sections.join('')}[program:web]\ncommand=sleep 1000\n`,
      files: {
        'a.ts': 'export default (api: unknown): void => undefined;\n',
        'b.mts': 'export const make = (api: unknown): void => undefined;\n',
        'inner.mjs': "import './a.ts';\nexport default () => undefined;\n",
        'asks.mjs':
          "import { stripTypeScriptTypes } from 'node:module';\n" +
          'export default ({ log }) => {\n' +
          "  try { stripTypeScriptTypes('const x: number = 3'); } catch { log('info', 'there is no compiler'); }\n};\n",
      },
    });
    await launched.waitForLine(/INFO x3: there is no compiler$/);
    await launched.waitForLine(/success: web entered RUNNING/);
    const reason = 'it is TypeScript; compile it to JavaScript, and name that file';
    const warnings = launched.stdout.all
      .filter((line) => line.includes(' WARN '))
      .map((line) => line.replace(/^.* WARN /, ''));
    assert.deepEqual(warnings, [
      `cannot load [rpcinterface:x0] from ./a.ts: ${reason}; its methods are not available`,
      `cannot load [rpcinterface:x1] from ./b.mts:make: ${reason}; its methods are not available`,
      `cannot load [rpcinterface:x2] from ./inner.mjs: Unknown file extension ".ts" for ${launched.folder}/a.ts; ` +
        'its methods are not available',
    ]);
  },
);

const CTL = `
export default ({ name, register }, { words }) => {
  register('greet', async ({ call, output, fail }, argument) => {
    if (argument === '') return fail('greet whom?', 3);
    output(words + ' ' + argument + ' from ' + (await call('supervisor.getIdentification')) + ' by ' + name);
  }, ['greet <name>\\tSay hello']);
  register('nobody', ({ call }) => call('supervisor.getProcessInfo', 'nobody'));
};
`;

test(
  'a module of [ctlplugin:x] adds commands; a broken one is one message, and supervisorctl works',
  { skip },
  async (t) => {
    const launched = await launch(t, {
      config:
        '[supervisord]\nidentifier=here\n[program:web]\ncommand=sleep 1000\n[supervisorctl]\n' +
        '[ctlplugin:team]\nsupervisor.ctl_factory=./ctl.mjs\nwords=good day\n' +
        '[ctlplugin:wrong]\nsupervisor.ctl_factory=./wrong.mjs\n' +
        '[ctlplugin:old]\nsupervisor.ctl_factory=package.module:make\n',
      files: { 'ctl.mjs': CTL, 'wrong.mjs': "export default ({ register }) => register('status', () => undefined);\n" },
    });
    await launched.waitForLine(/success: web entered RUNNING/);
    const { code, stdout, stderr } = await launched.ctl('greet', 'all');
    assert.deepEqual([code, stdout], [0, 'good day all from here by team\n']);
    assert.deepEqual(stderr.replaceAll(launched.folder, '').trim().split('\n'), [
      'cannot load [ctlplugin:wrong] from ./wrong.mjs: cannot register status: a command with that name ' +
        'exists; its commands are missing',
    ]);
    const warnings = (): number =>
      launched.stdout.all.filter((line) =>
        line.includes('"package.module:make" is Python and cannot be loaded; its commands are not available'),
      ).length;
    assert.equal(warnings(), 1);
    for (let round = 0; round < 2; round++)
      assert.match((await launched.ctl('reread')).stdout, /No config updates to processes/);
    assert.equal(warnings(), 1, 'the supervisor says it once, not at every reread');
    const plain = async (...args: string[]): Promise<[number, string]> => {
      const outcome = await launched.ctl(...args);
      return [outcome.code, outcome.stdout];
    };
    assert.deepEqual(await plain('greet'), [3, 'greet whom?\n']);
    assert.deepEqual(await plain('help', 'greet'), [0, 'greet <name>\tSay hello\n']);
    assert.match((await plain('status'))[1], /^web +RUNNING/);
    assert.match((await plain('help', 'status'))[1], /status <name>/);
    const [failed, text] = await plain('nobody');
    assert.equal(failed, 1);
    assert.match(text, /BAD_NAME/);
  },
);
