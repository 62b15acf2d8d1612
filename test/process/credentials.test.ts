/** The user of a program, by `user=` and by our own user; and the variables that depend on it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resolveCredentials } from '../../src/process/credentials.ts';
import type { Credentials, Identity, OwnerOption } from '../../src/process/credentials.ts';
import { buildEnvironment, formatEnvironment } from '../../src/process/environment.ts';
import { SpawnError } from '../../src/process/spawn-error.ts';

const app = { name: 'app', uid: 1000, gid: 1001, home: '/home/app', shell: '/bin/sh' };
const root = { name: 'root', uid: 0, gid: 0, home: '/root', shell: '/bin/sh' };
const users = [app, root];
const groups = [
  { name: 'web', gid: 33 },
  { name: 'app', gid: 1001 },
];
const lookup = {
  userByName: (name: string) => users.find((user) => user.name === name) ?? null,
  userById: (uid: number) => users.find((user) => user.uid === uid) ?? null,
  groupByName: (name: string) => groups.find((group) => group.name === name) ?? null,
  groupById: (gid: number) => groups.find((group) => group.gid === gid) ?? null,
  groupsOf: (_name: string, gid: number) => [gid, 20, 27],
};
const asRoot: Identity = { uid: 0, gid: 0 };
const asApp: Identity = { uid: 1000, gid: 1001 };

describe('the credentials of a program', () => {
  const cases: ReadonlyArray<readonly [string, Identity, OwnerOption | null, Partial<Credentials>]> = [
    ['no user', asRoot, null, { uid: null, gid: null, groups: null, login: root, warning: null }],
    ['a name', asRoot, { user: 'app', group: null }, { uid: 1000, gid: 1001, groups: [1001, 20, 27], login: app }],
    ['a number', asRoot, { user: '1000', group: null }, { uid: 1000, gid: 1001, groups: [1001, 20, 27], login: app }],
    [
      'a name and a group',
      asRoot,
      { user: 'app', group: 'web' },
      { uid: 1000, gid: 33, groups: [33, 20, 27], login: app },
    ],
    ['a name and the number of no group', asRoot, { user: 'app', group: '4711' }, { uid: 1000, gid: 4711 }],
    [
      'a uid that passwd does not have',
      asRoot,
      { user: '4711', group: null },
      { uid: 4711, gid: 0, groups: [], login: null },
    ],
    [
      'a uid that passwd does not have, and a group of ours',
      { uid: 0, gid: 5 },
      { user: '4711', group: null },
      { uid: 4711, gid: 5, groups: [], login: null },
    ],
    ['that and a group', asRoot, { user: '4711', group: '42' }, { uid: 4711, gid: 42, groups: [], login: null }],
    [
      'the user that we are',
      asRoot,
      { user: 'root', group: null },
      { uid: null, gid: null, groups: null, login: root },
    ],
    ['the user that we are, with another group', asRoot, { user: 'root', group: 'web' }, { uid: 0, gid: 33 }],
    ['without root, oneself', asApp, { user: 'app', group: null }, { uid: null, warning: null, login: app }],
    ['without root, oneself and one’s group', asApp, { user: '1000', group: 'app' }, { uid: null, warning: null }],
    [
      'without root, another',
      asApp,
      { user: 'root', group: null },
      {
        uid: null,
        gid: null,
        login: app,
        warning: "couldn't setuid to 0: Can't drop privilege as nonroot user; it runs as uid 1000",
      },
    ],
    ['a uid of ours that passwd does not have', { uid: 4711, gid: 0 }, null, { uid: null, login: null }],
  ];
  for (const [name, self, owner, expected] of cases) {
    test(name, () => {
      const found = resolveCredentials(lookup, self, owner, false);
      assert.deepEqual({ ...found, ...expected }, found);
    });
  }

  const refusals: ReadonlyArray<readonly [string, Identity, OwnerOption, boolean, string]> = [
    [
      'an unknown name',
      asRoot,
      { user: 'who', group: null },
      false,
      "couldn't setuid to who: Can't find username 'who'",
    ],
    [
      'an unknown group',
      asRoot,
      { user: 'app', group: 'who' },
      false,
      "couldn't setgid to who: Can't find group 'who'",
    ],
    [
      'strict_user without root',
      asApp,
      { user: 'root', group: null },
      true,
      "couldn't setuid to 0: Can't drop privilege as nonroot user",
    ],
    [
      'a number beyond all ids',
      asRoot,
      { user: '4294967295', group: null },
      false,
      "couldn't setuid to 4294967295: Can't find username '4294967295'",
    ],
  ];
  for (const [name, self, owner, strict, message] of refusals) {
    test(`${name} is refused`, () => {
      assert.throws(
        () => resolveCredentials(lookup, self, owner, strict),
        (error) => error instanceof SpawnError && error.message === message && error.exitCode === 1,
      );
    });
  }

  test('strict_user allows our own user', () => {
    assert.equal(resolveCredentials(lookup, asApp, { user: 'app', group: null }, true).uid, null);
  });

  test('a failing name service fails the start', () => {
    const failing = {
      ...lookup,
      userByName: () => {
        throw Object.assign(new Error('x'), { code: 'EIO' });
      },
    };
    assert.throws(() => resolveCredentials(failing, asRoot, { user: 'app', group: null }, false), {
      name: 'SpawnError',
      code: 'EIO',
    });
  });
});

describe('the environment of a program', () => {
  const sources = {
    inherited: {
      HOME: '/root',
      PATH: '/bin',
      NODE_OPTIONS: '--x',
      ONEVISOR_CONF: '/c',
      ONEVISOR_PROGRAM_A: 'a',
      GONE: undefined,
    },
    common: new Map([
      ['TZ', 'UTC'],
      ['ORDER', 'common'],
    ]),
    processName: 'web_1',
    groupName: 'web',
    serverUrl: 'unix:///run/s.sock',
    files: new Map([
      ['ORDER', 'files'],
      ['SECRET', 'a=b\nc'],
    ]),
    own: new Map([['ORDER', 'own']]),
  };
  const added = {
    SUPERVISOR_ENABLED: '1',
    SUPERVISOR_SERVER_URL: 'unix:///run/s.sock',
    SUPERVISOR_PROCESS_NAME: 'web_1',
    SUPERVISOR_GROUP_NAME: 'web',
  };

  test('each source overrides the one before, without our own variables', () => {
    assert.deepEqual(Object.fromEntries(buildEnvironment(sources, null)), {
      HOME: '/root',
      PATH: '/bin',
      NODE_OPTIONS: '--x',
      TZ: 'UTC',
      ORDER: 'own',
      SECRET: 'a=b\nc',
      ...added,
    });
  });

  test('[supervisord] overrides inherited variables, files override [supervisord]', () => {
    const later = buildEnvironment({ ...sources, inherited: { TZ: 'CET' }, own: new Map() }, null);
    assert.deepEqual([later.get('TZ'), later.get('ORDER')], ['UTC', 'files']);
  });

  test('HOME, USER and LOGNAME of the user override inherited ones, configured ones override them', () => {
    const variables = buildEnvironment({ ...sources, own: new Map([['USER', 'mine']]) }, app);
    assert.deepEqual(
      [variables.get('HOME'), variables.get('USER'), variables.get('LOGNAME')],
      ['/home/app', 'mine', 'app'],
    );
  });

  // compat: SUPERVISOR_* are set before the program's own variables, and over those of [supervisord].
  test('the program may override the variables of Supervisor, [supervisord] may not', () => {
    const variables = buildEnvironment(
      { ...sources, common: new Map([['SUPERVISOR_ENABLED', '0']]), own: new Map([['SUPERVISOR_GROUP_NAME', 'x']]) },
      null,
    );
    assert.deepEqual([variables.get('SUPERVISOR_ENABLED'), variables.get('SUPERVISOR_GROUP_NAME')], ['1', 'x']);
  });

  // compat: a supervisor without a server keeps the URL of an outer supervisor.
  test('an unknown URL keeps an inherited one', () => {
    const inherited = { SUPERVISOR_SERVER_URL: 'http://outer' };
    assert.equal(
      buildEnvironment({ ...sources, inherited, serverUrl: null }, null).get('SUPERVISOR_SERVER_URL'),
      'http://outer',
    );
    assert.equal(
      buildEnvironment({ ...sources, inherited: {}, serverUrl: null }, null).has('SUPERVISOR_SERVER_URL'),
      false,
    );
  });

  test('the format for execve', () => {
    assert.deepEqual(
      formatEnvironment(
        new Map([
          ['A', '1'],
          ['B', 'x=y'],
        ]),
      ),
      ['A=1', 'B=x=y'],
    );
  });
});
