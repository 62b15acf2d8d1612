/** The search of the client for its supervisor: command line, file, private control socket, default. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openSource } from '../../../src/config/source.ts';
import { parseOptions } from '../../../src/ctl/options.ts';
import { type Discovery, type FoundSupervisor, noDiscovery } from '../../../src/ctl/discovery.ts';
import { readSettings, type CtlSettings } from '../../../src/ctl/settings.ts';

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

  /** Only existing sockets answer. */
  const discoveryOf = (sockets: readonly string[], more: Partial<Discovery> = {}): Discovery => {
    const answers = (path: string): boolean => path === socket;
    return {
      ...noDiscovery,
      answers,
      privateSocket: () => sockets.find(answers) ?? null,
      firstAddress: sockets[0] ?? '',
      ...more,
    };
  };
  const read = (
    args: readonly string[],
    sockets: readonly string[],
    env: Record<string, string> = {},
    more: Partial<Discovery> = {},
  ) => {
    const outcome = parseOptions(args);
    assert.ok(outcome.ok);
    return readSettings(
      outcome.options,
      { ...openSource({ HOME: '/home/me', ...env }, null), cwd: directory },
      join(directory, 'empty/bin/supervisorctl'),
      discoveryOf(sockets, more),
    );
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

  it('uses the values of the file, and the command line overrides them', () => {
    const file = write(
      '[supervisorctl]\nserverurl=unix://%(here)s/x.sock\nusername=%(ENV_NAME)s\npassword=secret\nprompt=mine\n' +
        'history_file=~/h\n',
    );
    const expected = {
      serverUrl: `unix://${directory}/x.sock`,
      origin: `from ${join(directory, 'c.conf')}`,
      username: 'me',
      password: 'secret',
      prompt: 'mine',
      historyFile: '/home/me/h',
      warnings: [],
      plugins: [],
      file: join(directory, 'c.conf'),
    };
    assert.deepEqual(settings(file, [socket], { NAME: 'me' }), expected);
    assert.deepEqual(
      settings([...file, '-s', 'http://h:1', '-u', 'u', '-p', '', '-r', 'mine'], [socket], { NAME: 'me' }),
      {
        ...expected,
        serverUrl: 'http://h:1',
        origin: 'from -s',
        username: 'u',
        password: '',
        historyFile: join(directory, 'mine'),
      },
    );
  });

  it('uses the private control socket if the file has no serverurl, or no section', () => {
    assert.equal(
      settings(write('[supervisorctl]\nprompt=x\n'), ['/nonexistent', socket]).serverUrl,
      `unix://${socket}`,
    );
    assert.equal(settings(write('[supervisord]\n'), [socket]).serverUrl, `unix://${socket}`);
    assert.equal(
      settings(write('[supervisorctl]\nserverurl=http://localhost:9001\n'), [socket]).serverUrl,
      'http://localhost:9001',
    );
  });

  it('falls back to the default of Supervisor, and needs the section for it', () => {
    assert.equal(settings(write('[supervisorctl]\n'), ['/nonexistent']).serverUrl, 'http://localhost:9001');
    const missing = { ok: false, error: '.ini file does not include supervisorctl section' };
    assert.deepEqual(read(write('[supervisord]\n'), ['/nonexistent']), missing);
    assert.deepEqual(
      read([...write('[supervisord]\n'), '-s', 'http://h:1'], ['/nonexistent']),
      missing,
      'as with Supervisor',
    );
  });

  it('knows the server of a file without [supervisorctl], if it answers', () => {
    const serverOf = (file: string): FoundSupervisor | null =>
      file === join(directory, 'c.conf') ? { serverUrl: 'unix:///own.sock', username: 'u', password: 'p', file } : null;
    const { serverUrl, username, password } = settings(
      write('[unix_http_server]\nfile=/own.sock\n'),
      [socket],
      {},
      { serverOf },
    );
    assert.deepEqual([serverUrl, username, password], ['unix:///own.sock', 'u', 'p']);
    assert.equal(
      settings(write('[supervisorctl]\nserverurl=http://h:1\n'), [socket], {}, { serverOf }).serverUrl,
      'http://h:1',
    );
  });

  it('knows it too where the file was searched, not named', () => {
    const file = join(directory, 'supervisord.conf');
    writeFileSync(file, '[supervisord]\n[unix_http_server]\nfile=/own.sock\n');
    const serverOf = (asked: string): FoundSupervisor | null =>
      asked === file ? { serverUrl: 'unix:///own.sock', username: 'u', password: 'p', file } : null;
    const { serverUrl, username, password } = settings([], [], {}, { serverOf });
    assert.deepEqual([serverUrl, username, password], ['unix:///own.sock', 'u', 'p']);
  });

  it('reads no file if ONEVISOR_CONF is empty', () => {
    writeFileSync(join(directory, 'supervisord.conf'), '[supervisorctl]\nserverurl=http://h:1\n');
    assert.deepEqual(
      [settings([], [socket]).serverUrl, settings([], [socket]).file],
      ['http://h:1', join(directory, 'supervisord.conf')],
    );
    const none = settings([], [socket], { ONEVISOR_CONF: '' });
    assert.deepEqual([none.serverUrl, none.file], [`unix://${socket}`, null]);
    assert.equal(settings([], ['/nonexistent'], { ONEVISOR_CONF: '' }).serverUrl, 'unix:///nonexistent');
  });

  describe('in a container with a supervisor', () => {
    const searched = (): string => join(directory, 'supervisord.conf');
    const other = (): string => join(directory, 'other.conf');
    const found = (file: string | null): Partial<Discovery> => ({
      find: () => ({ serverUrl: 'unix:///its.sock', username: 'u', password: 'p', file }),
    });
    const urlOf = (
      text: string,
      file: string | null,
      args: readonly string[] = [],
      env: Record<string, string> = {},
    ): string => {
      writeFileSync(searched(), text);
      return settings(args, [], env, found(file)).serverUrl;
    };

    it('uses that supervisor if a variable of its file is set only for the supervisor, with a warning', () => {
      writeFileSync(searched(), '[supervisorctl]\nserverurl=unix://%(ENV_ONLY_THERE)s/supervisor.sock\n');
      const { serverUrl, username, warnings } = settings([], [], {}, found(searched()));
      assert.deepEqual({ serverUrl, username }, { serverUrl: 'unix:///its.sock', username: 'u' });
      assert.match(warnings.join('\n'), /serverurl: .*ONLY_THERE is not set/);
      // An explicitly named file is used as it is.
      assert.ok(!read(['-c', searched()], [], {}, found(searched())).ok);
    });

    it('uses that supervisor, whatever other files the machine has', () => {
      for (const text of [
        '[supervisorctl]\nserverurl=unix:///var/run/supervisor.sock\n',
        '[supervisorctl]\nserverurl=http://h:1\n',
        '[supervisorctl]\n',
        '[supervisord]\n',
      ]) {
        assert.equal(urlOf(text, null), 'unix:///its.sock', text);
      }
      const { username, password, file } = settings([], [], {}, found(null));
      assert.deepEqual([username, password, file], ['u', 'p', null]);
    });

    it('uses the file of this supervisor', () => {
      writeFileSync(other(), '[supervisorctl]\nserverurl=http://h:2\nprompt=mine\n');
      assert.equal(urlOf('[supervisorctl]\nserverurl=http://h:1\n', other()), 'http://h:2');
      assert.equal(settings([], [], {}, found(other())).prompt, 'mine');
      writeFileSync(other(), '[supervisorctl]\nserverurl=unix:///nobody.sock\n');
      assert.equal(urlOf('', other()), 'unix:///its.sock', 'a socket that does not answer');
      writeFileSync(other(), `[supervisorctl]\nserverurl=unix://${socket}\n`);
      assert.equal(urlOf('', other()), `unix://${socket}`);
    });

    it('uses a second supervisor, if its file is found and its socket answers', () => {
      assert.equal(urlOf(`[supervisorctl]\nserverurl=unix://${socket}\n`, null), `unix://${socket}`);
    });

    it('explicit settings override it', () => {
      writeFileSync(searched(), '[supervisord]\n');
      const elsewhere = settings(['-s', 'http://h:3'], [], {}, found(null));
      assert.deepEqual([elsewhere.serverUrl, elsewhere.username, elsewhere.password], ['http://h:3', null, null]);
      assert.equal(urlOf('[supervisorctl]\n', null, ['-s', 'http://h:3']), 'http://h:3');
      writeFileSync(other(), '[supervisorctl]\nserverurl=unix:///nobody.sock\n');
      assert.equal(urlOf('[supervisorctl]\n', null, ['-c', other()]), 'unix:///nobody.sock');
      assert.equal(urlOf('[supervisorctl]\n', null, [], { ONEVISOR_CONF: other() }), 'unix:///nobody.sock');
    });
  });

  it('reports the problems of the file', () => {
    assert.deepEqual(read(['-c', '/nonexistent'], []), { ok: false, error: 'could not find config file /nonexistent' });
    assert.deepEqual(read(['-c', directory], []), { ok: false, error: `could not read config file ${directory}` });
    const expansion = read(write('[supervisorctl]\nserverurl=%(nope)s\n'), []);
    assert.match(expansion.ok ? '' : expansion.error, /c\.conf:2: \[supervisorctl\] serverurl: .*nope/);
    const syntax = read(write('garbage\n'), []);
    assert.match(syntax.ok ? '' : syntax.error, /c\.conf:1: /);
  });

  it('does not report plug-ins in Python, since the supervisor logs them once', () => {
    assert.deepEqual(
      settings(write('[supervisorctl]\n[ctlplugin:quick]\nsupervisor.ctl_factory=quick:make\n'), []).warnings,
      [],
    );
  });
});
