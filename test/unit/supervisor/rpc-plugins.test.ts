/**
 * Modules of `[rpcinterface:x]`: the methods they may register, their answers and errors, and that none can keep the
 * supervisor from starting.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isModulePath, loadFactory } from '../../../src/config/plugin-module.ts';
import type { Config, PluginConfig } from '../../../src/config/model.ts';
import type { RpcFault } from '../../../src/core/faults.ts';
import { loadPlugins } from '../../../src/supervisor/rpc-plugins.ts';
import type { CallContext, Method } from '../../../src/rpc/method.ts';
import type { XmlRpcValue } from '../../../src/rpc/xmlrpc.ts';

const folder = mkdtempSync(join(tmpdir(), 'onevisor-plugins-'));
after(() => rmSync(folder, { recursive: true }));
let count = 0;

/** Loads one module with this text. Returns its methods and the log lines. */
async function load(
  text: string,
  {
    extension = 'mjs',
    name = 'x',
    options = {},
    suffix = '',
    path,
  }: { extension?: string; name?: string; options?: Record<string, string>; suffix?: string; path?: string } = {},
): Promise<{ methods: Method[]; lines: string[] }> {
  const file = `module${(count += 1)}.${extension}`;
  writeFileSync(join(folder, file), text);
  const lines: string[] = [];
  const plugin: PluginConfig = {
    name,
    factory: path ?? `./${file}${suffix}`,
    options: new Map(Object.entries(options)),
  };
  const config = { rpcInterfaces: [plugin], file: join(folder, 'supervisord.conf') } as unknown as Config;
  const methods = await loadPlugins(config, {
    report: (level, line) => lines.push(`${level} ${line}`.replaceAll(folder, '')),
    callFor:
      (plugin) =>
      async (method, ...params) => [plugin, method, ...params],
  });
  return { methods, lines };
}

const call = async (methods: readonly Method[], name: string, ...args: XmlRpcValue[]): Promise<XmlRpcValue> => {
  const method = methods.find((other) => other.name === name);
  assert.ok(method !== undefined, name);
  return method.call({} as CallContext, args);
};

test('modules are distinguished from Python', () => {
  for (const factory of ['/opt/x.js', './x.mjs', '../x.cjs:make']) assert.ok(isModulePath(factory), factory);
  for (const factory of ['supervisor.rpcinterface:make_main_rpcinterface', 'x.y:z', '', 'x.js'])
    assert.ok(!isModulePath(factory), factory);
});

test('TypeScript is refused with the way out', () => {
  for (const factory of ['/opt/x.ts', './x.mts', '../x.cts:make', './x.tsx'])
    assert.throws(() => loadFactory(factory, null), /it is TypeScript; compile it to JavaScript/);
});

test('an ES module: options, methods with and without a description, calls, a line for the log', async () => {
  const { methods, lines } = await load(
    `
    export default function ({ name, register, call, log }, options) {
      register('greet', (who) => options.greeting + ' ' + who + ' from ' + name, {
        help: 'Greets',
        parameters: [{ name: 'who' }, { name: 'more', type: 'int', optional: true }],
        returns: { type: 'string', name: 'greeting', help: 'A greeting' },
      });
      register('deep.er', async (a, b) => call('supervisor.getState', a, b));
      register('nothing', () => undefined);
      log('warn', 'is here');
      log('nonsense', 'is here too');
    }`,
    { options: { greeting: 'hello' } },
  );
  assert.deepEqual(lines, ['warn x: is here', 'info x: is here too', "info RPC interface 'x' initialized"]);
  assert.equal(await call(methods, 'x.greet', 'you'), 'hello you from x');
  assert.deepEqual(await call(methods, 'x.deep.er', 1, 2), ['x', 'supervisor.getState', 1, 2]);
  assert.equal(await call(methods, 'x.nothing'), true);
  const [greet, deeper] = methods;
  assert.deepEqual(
    { ...greet, call: null },
    {
      name: 'x.greet',
      help: 'Greets',
      parameters: [
        { name: 'who', type: 'string', help: '', isOptional: false },
        { name: 'more', type: 'int', help: '', isOptional: true },
      ],
      returns: { type: 'string', name: 'greeting', help: 'A greeting' },
      // A module may do anything.
      role: 'admin',
      call: null,
    },
  );
  assert.deepEqual(
    deeper?.parameters.map((parameter) => parameter.name),
    ['p1', 'p2'],
  );
});

test('a CommonJS module, and an export by name', async () => {
  assert.equal(
    await call(
      (await load('module.exports = (api) => api.register("one", () => 1);', { extension: 'cjs' })).methods,
      'x.one',
    ),
    1,
  );
  const { methods } = await load('export function make(api) { api.register("two", () => 2); }', { suffix: ':make' });
  assert.equal(await call(methods, 'x.two'), 2);
});

test('an asynchronous factory', async () => {
  const { methods } = await load('export default async (api) => { await null; api.register("late", () => 1); };');
  assert.equal(methods.length, 1);
});

test('errors of a method are faults', async () => {
  const { methods, lines } = await load(`
    export default (api) => {
      api.register('fault', () => {
        throw Object.assign(new Error('text'), { faultCode: 777, faultString: 'MY_FAULT' });
      });
      api.register('plain', () => { throw Object.assign(new Error('only a message'), { faultCode: 778 }); });
      api.register('broken', async () => null.x);
      api.register('strange', () => ({ list: [{ f() {} }] }));
      api.register('endless', () => { const a = []; a.push(a); return a; });
    };`);
  const faultOf = (name: string): Promise<RpcFault> =>
    call(methods, name).then(
      () => assert.fail(),
      (error: unknown) => error as RpcFault,
    );
  const { code, faultString, name } = await faultOf('x.fault');
  assert.deepEqual([code, faultString, name], [777, 'MY_FAULT', 'RpcFault']);
  assert.deepEqual([(await faultOf('x.plain')).code, (await faultOf('x.plain')).faultString], [778, 'only a message']);
  assert.equal((await faultOf('x.broken')).faultString, "FAILED: Cannot read properties of null (reading 'x')");
  assert.deepEqual(
    [(await faultOf('x.strange')).code, (await faultOf('x.strange')).faultString],
    [30, 'FAILED: XML-RPC has no form for function'],
  );
  assert.match(lines.at(-1) ?? '', /^error cannot answer x\.strange: /);
  assert.equal((await faultOf('x.endless')).code, 30);
});

test('a module that cannot be loaded is one warning, and the others are loaded', async () => {
  const refused = async (text: string, more?: Parameters<typeof load>[1]): Promise<string> => {
    const { methods, lines } = await load(text, more);
    assert.deepEqual(methods, []);
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.ok(!(lines[0] ?? '').includes('\n'));
    return (lines[0] ?? '')
      .replace(/^warn cannot load \[rpcinterface:\w+\] from \S+: /, '')
      .replace(/; its methods are not available$/, '');
  };
  assert.match(await refused('export default ('), /^Unexpected end of input$/);
  assert.match(await refused('', { path: './none.mjs' }), /^Cannot find module '\/none\.mjs'$/);
  assert.equal(
    await refused('export const x = 1;'),
    'it exports no function; a module has one as default or module.exports',
  );
  assert.equal(await refused('export const x = 1;', { suffix: ':y' }), 'it exports no function y');
  assert.equal(await refused('export default () => { throw new Error("first line\\nsecond"); };'), 'first line');
  assert.equal(await refused('export default async () => { throw null; };'), 'null');
  assert.match(
    await refused('await null; export default () => undefined;'),
    /^require\(\) cannot be used on an ESM graph with top-level await/,
  );
  const register = (args: string, more?: Parameters<typeof load>[1]): Promise<string> =>
    refused(`export default (api) => { api.register('a', () => 1); api.register(${args}); };`, more);
  assert.equal(await register("'a', () => 1"), 'cannot register x.a: the name is used already');
  assert.equal(await register("'b', 1"), 'cannot register x.b: it is not a function');
  assert.match(await register("'b c', () => 1"), /^cannot register "b c": /);
  assert.match(
    await register("'b', () => 1, { parameters: [{ name: 'p', type: 'text' }] }"),
    /^cannot register x\.b: "text" is no type; there are string, int/,
  );
  assert.match(
    await register("'b', () => 1", { name: 'supervisor' }),
    /^cannot register supervisor\.a: the name supervisor is taken/,
  );
});

test('a module that is never ready delays the start only for a limited time', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const loading = load('let api; export default (given) => { api = given; return new Promise(() => undefined); };');
  await new Promise((resolve) => setImmediate(resolve));
  t.mock.timers.tick(10_000);
  const { methods, lines } = await loading;
  assert.deepEqual(methods, []);
  assert.match(lines[0] ?? '', /: it was not ready within 10 s; its methods are not available$/);
});
