/** The file of a command, and the error if there is none: Supervisor's rules and texts. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { findCommand } from '../../src/process/command.ts';
import type { CommandContext } from '../../src/process/command.ts';
import { SpawnError } from '../../src/process/spawn-error.ts';

const folder = mkdtempSync(join(tmpdir(), 'onevisor-command-'));
after(() => rmSync(folder, { recursive: true }));
for (const name of ['first', 'second', 'first/blocker', 'work']) mkdirSync(join(folder, name));
for (const name of ['first/plain', 'second/tool', 'second/blocker', 'second/plain', "second/it's", 'work/run.sh']) {
  writeFileSync(join(folder, name), '#!/bin/sh\n');
  chmodSync(join(folder, name), name === 'first/plain' ? 0o644 : 0o755);
}
const path = `${folder}/first:${folder}/second/`;
const context: CommandContext = { programPath: null, ownPath: path, directory: null };

describe('where a command is found', () => {
  const cases: ReadonlyArray<readonly [string, string, Partial<CommandContext>, string]> = [
    ['along our PATH', 'tool', {}, `${folder}/second/tool`],
    [
      'along the PATH of the program before ours',
      'tool',
      { programPath: `${folder}/second`, ownPath: '/nowhere' },
      `${folder}/second/tool`,
    ],
    ['along Supervisor’s path where PATH is not set', 'sh', { ownPath: undefined }, '/bin/sh'],
    ['along Supervisor’s path where PATH is empty', 'sh', { ownPath: '' }, '/bin/sh'],
    ['by its path', `${folder}/second/tool`, {}, `${folder}/second/tool`],
    ['by its path from the directory it will run in', './run.sh', { directory: `${folder}/work` }, './run.sh'],
    [
      'in that directory by an empty folder of PATH',
      'run.sh',
      { programPath: '', directory: `${folder}/work` },
      'run.sh',
    ],
  ];
  for (const [name, command, change, expected] of cases) {
    test(name, () => assert.equal(findCommand(command, { ...context, ...change }), expected));
  }
});

describe('why a command is not found', () => {
  const cases: ReadonlyArray<readonly [string, Partial<CommandContext>, string, number]> = [
    ['missing', {}, "can't find command 'missing'", 127],
    ['/no/such/file', {}, "can't find command '/no/such/file'", 127],
    [`${folder}/first/plain/below`, {}, `can't find command '${folder}/first/plain/below'`, 127],
    ["it's", { programPath: '/nowhere' }, `can't find command "it's"`, 127],
    ['', {}, 'command is empty', 127],
    [`${folder}/first`, {}, `command at '${folder}/first' is a directory`, 126],
    // compat: the first entry of that name ends the search along PATH.
    ['blocker', {}, `command at '${folder}/first/blocker' is a directory`, 126],
    [
      '.',
      {},
      `command at '${folder}/first/.' is a directory; . is a command of shells: run the whole line with sh -c`,
      126,
    ],
    ['plain', {}, `command at '${folder}/first/plain' is not executable`, 126],
    ['./run.sh', { directory: `${folder}/first` }, "can't find command './run.sh'", 127],
  ];
  for (const [command, change, message, exitCode] of cases) {
    test(message.replace(folder, ''), () => {
      assert.throws(
        () => findCommand(command, { ...context, ...change }),
        (error) => {
          assert.ok(error instanceof SpawnError);
          assert.deepEqual(
            { message: error.message, exitCode: error.exitCode, stage: error.stage },
            { message, exitCode, stage: 'exec' },
          );
          return true;
        },
      );
    });
  }
});
