/** Detection of the main process of a container that is not PID 1, by its environment. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Ancestor,
  type ContainerFacts,
  isMainProcess,
  isSupervisorName,
  isTypedAtShell,
} from '../../../src/core/container-mode.ts';

/** Parses `pid NAME: COMMAND LINE`, parent first. */
function ancestors(...lines: string[]): Ancestor[] {
  return lines.map((line) => {
    const [, pid = '', name = '', command = ''] = /^(\d+) ([^:]+): ?(.*)$/.exec(line) ?? [];
    return { pid: Number(pid), name, words: command === '' ? [] : command.split(' ') };
  });
}

function isMain(
  output: ContainerFacts['output'],
  above: readonly Ancestor[] | null,
  more: Partial<ContainerFacts> = {},
): boolean {
  return isMainProcess({ hasMark: true, isUnderSystemd: false, output, ancestors: above, ...more });
}

test('a process below only inits, shells and entrypoints is the main process', () => {
  const rows: ReadonlyArray<readonly [boolean, ContainerFacts['output'], ...string[]]> = [
    [true, 'different', '1 tini: /sbin/tini -- onevisor'],
    [true, 'unknown', '1 docker-init: /sbin/docker-init -- onevisor'],
    [true, 'different', '1 catatonit: /run/podman-init -- onevisor'],
    [
      true,
      'different',
      '7 docker-entrypoi: /bin/bash /docker-entrypoint.sh',
      '1 dumb-init: dumb-init -- /docker-entrypoint.sh',
    ],
    [true, 'different', '7 python3: python3 -u /docker-entrypoint.py', '1 tini: tini -- /docker-entrypoint.py'],
    [true, 'different', '9 s6-supervise: s6-supervise app', '1 s6-svscan: s6-svscan -t0 /run/service'],
    [true, 'different', '1 sh: -sh'],
    [true, 'unknown', '8 su: su app -c onevisor', '1 start: /start'],
    [true, 'different'],
    [false, 'different', '1 start: /start'],
    [false, 'different', '8 node: node --test', '1 tini: tini -- npm test'],
    [false, 'different', '8 sshd: sshd: root@pts/0', '1 bash: bash'],
    [false, 'unknown', '8 sshd: ', '1 bash: bash'],
    [false, 'different', '1 onevisor: onevisor'],
    [false, 'unknown', '1 supervisord: /usr/bin/python3 /usr/bin/supervisord -n'],
  ];
  for (const [expected, output, ...above] of rows)
    assert.equal(isMain(output, ancestors(...above)), expected, above.join(', '));
});

test('a process with the output of the container is the main process, whatever its ancestors', () => {
  assert.ok(isMain('same', ancestors('8 start.py: python3 /start.py', '1 node: node server.js')));
  assert.ok(isMain('same', null));
  assert.ok(!isMain('unknown', null));
});

test('without a mark of a container, or under systemd, no process is the main process', () => {
  assert.ok(!isMain('same', [], { hasMark: false }));
  assert.ok(!isMain('same', [], { isUnderSystemd: true }));
});

test('a shell without a script and without -c is a person', () => {
  const typed = ['7 bash: bash', '7 sh: -sh', '7 zsh: /bin/zsh -l -i', '7 bash: bash --norc', '7 ash:'];
  const scripts = [
    '7 sh: sh -c onevisor bash',
    '7 bash: bash -ec x',
    '7 bash: bash /entrypoint.sh',
    '7 entrypoint.sh: /bin/sh ./entrypoint.sh',
    '7 tini: tini -- onevisor',
    '7 node: node',
  ];
  for (const [expected, lines] of [
    [true, typed],
    [false, scripts],
  ] as const)
    for (const line of lines) assert.equal(ancestors(line).every(isTypedAtShell), expected, line);
});

test('supervisors are recognized by their names', () => {
  const [ours, theirs, named, other, python] = ancestors(
    '1 onevisor: /usr/bin/supervisord',
    '1 python3: /usr/bin/python3 /usr/bin/supervisord -n',
    '1 supervisord:',
    '1 bash: bash supervisord.sh',
    '1 python3: python3 x.py',
  );
  assert.deepEqual(
    [ours, theirs, named, other, python].map((proc) => proc !== undefined && isSupervisorName(proc)),
    [true, true, true, false, false],
  );
});
