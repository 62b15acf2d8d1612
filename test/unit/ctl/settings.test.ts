/**
 * Where the client finds its supervisor: command line, file, private control socket, default.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openSource } from '../../../src/config/source.ts';
import { parseOptions } from '../../../src/ctl/options.ts';
import { controlSocketPaths, readSettings, type CtlSettings } from '../../../src/ctl/settings.ts';

describe('the settings of the client', () => {
  let directory: string;
  let socket: string;
  const server = createServer();
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ctl-'));
    mkdirSync(join(directory, 'empty'));
    socket = join(directory, 'onevisor.sock');
    await new Promise<void>((resolve) => server.listen(socket, resolve));
  });
  after(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true });
  });

  const read = (args: readonly string[], sockets: readonly string[], env: Record<string, string> = {}) => {
    const outcome = parseOptions(args);
    assert.ok(outcome.ok);
    return readSettings(outcome.options, { ...openSource({ HOME: '/home/me', ...env }, null), cwd: directory }, join(directory, 'empty/bin/supervisorctl'), sockets);
  };
  const settings = (...call: Parameters<typeof read>): CtlSettings => {
    const outcome = read(...call);
    assert.ok(outcome.ok, outcome.ok ? '' : outcome.error);
    return outcome.settings;
  };
  const write = (text: string): readonly string[] => {
    const file = join(directory, 'c.conf');
    writeFileSync(file, text);
    return ['-c', file];
  };

  it('names the places of the private control socket, the preferred one first', () => {
    assert.deepEqual(controlSocketPaths({}), ['/run/onevisor.sock', '/tmp/onevisor.sock']);
    assert.deepEqual(controlSocketPaths({ XDG_RUNTIME_DIR: '/run/user/7' }), ['/run/onevisor.sock', '/run/user/7/onevisor.sock', '/tmp/onevisor.sock']);
  });

  it('reads no file where ONEVISOR_CONF is empty', () => {
    assert.equal(settings([], [socket], { ONEVISOR_CONF: '' }).serverUrl, `unix://${socket}`);
    assert.equal(settings(['-s', 'http://a:1'], [], { ONEVISOR_CONF: '' }).serverUrl, 'http://a:1');
  });

  it('takes what the file says, and the command line over it', () => {
    const file = write('[supervisorctl]\nserverurl=unix://%(here)s/x.sock\nusername=%(ENV_NAME)s\npassword=secret\nprompt=mine\nhistory_file=~/h\n');
    const expected = { serverUrl: `unix://${directory}/x.sock`, username: 'me', password: 'secret', prompt: 'mine', historyFile: '/home/me/h', warnings: [], plugins: [], file: join(directory, 'c.conf') };
    assert.deepEqual(settings(file, [socket], { NAME: 'me' }), expected);
    assert.deepEqual(settings([...file, '-s', 'http://h:1', '-u', 'u', '-p', '', '-r', 'mine'], [socket], { NAME: 'me' }), { ...expected, serverUrl: 'http://h:1', username: 'u', password: '', historyFile: join(directory, 'mine') });
  });

  it('uses the private control socket where the file has no serverurl, or no section', () => {
    assert.equal(settings(write('[supervisorctl]\nprompt=x\n'), ['/nonexistent', socket]).serverUrl, `unix://${socket}`);
    assert.equal(settings(write('[supervisord]\n'), [socket]).serverUrl, `unix://${socket}`);
    assert.equal(settings(write('[supervisorctl]\nserverurl=http://localhost:9001\n'), [socket]).serverUrl, 'http://localhost:9001');
  });

  it('falls back to the default of Supervisor, and needs the section for it', () => {
    assert.equal(settings(write('[supervisorctl]\n'), ['/nonexistent']).serverUrl, 'http://localhost:9001');
    assert.deepEqual(read(write('[supervisord]\n'), ['/nonexistent']), { ok: false, error: '.ini file does not include supervisorctl section' });
  });

  it('takes a plain file for no socket', () => {
    assert.equal(settings(write('[supervisorctl]\n'), [join(directory, 'c.conf')]).serverUrl, 'http://localhost:9001');
  });

  it('says what is wrong with the file', () => {
    assert.deepEqual(read(['-c', '/nonexistent'], []), { ok: false, error: 'could not find config file /nonexistent' });
    assert.deepEqual(read(['-c', directory], []), { ok: false, error: `could not read config file ${directory}` });
    const expansion = read(write('[supervisorctl]\nserverurl=%(nope)s\n'), []);
    assert.match(expansion.ok ? '' : expansion.error, /c\.conf:2: \[supervisorctl\] serverurl: .*nope/);
    const syntax = read(write('garbage\n'), []);
    assert.match(syntax.ok ? '' : syntax.error, /c\.conf:1: /);
  });

  it('says nothing of plug-ins in Python: the log of the supervisor does, once', () => {
    assert.deepEqual(settings(write('[supervisorctl]\n[ctlplugin:quick]\nsupervisor.ctl_factory=quick:make\n'), []).warnings, []);
  });
});
