/** The exit codes without a supervisor: each command has the one that its help names. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, after, test } from 'node:test';
import { clientCommands } from '../../../src/cli/client-commands.ts';
import { findCommand } from '../../../src/cli/commands.ts';
import { findDeadPort, start } from './fake-server.ts';

/** Words after the name of a command that needs some. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  logs: ['-n', '1'],
  signal: ['HUP', 'web'],
  scale: ['web=2'],
  reread: [],
  reload: [],
  shutdown: [],
  version: [],
  avail: [],
  maintail: [],
  top: [],
};

const folder = mkdtempSync(join(tmpdir(), 'alone-'));
const locked = join(folder, 'locked.sock');
const dead = `http://127.0.0.1:${await findDeadPort()}`;
const server = createServer((_request, response) => response.writeHead(401).end());
const open = async (path: string): Promise<void> => new Promise((resolve) => void server.listen(path, resolve));

before(() => open(locked));
after(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const ANSWERS_NOT = /no supervisor answers|there is no such socket/;
const situations: ReadonlyArray<[situation: string, url: string, meaning: RegExp]> = [
  ['a missing socket', `unix://${join(folder, 'none.sock')}`, ANSWERS_NOT],
  ['a port without a listener', dead, ANSWERS_NOT],
  ['a server that refuses the user', `unix://${locked}`, /refuses? the user/],
];
// `run` needs the executable: test/e2e/run.test.ts.
const commands = [
  ...clientCommands.filter(({ kind, name }) => kind === 'client' && name !== 'run'),
  findCommand('health'),
];
for (const [situation, url, meaning] of situations)
  for (const spec of commands) {
    if (spec === null) continue;
    test(`${spec.name} with ${situation}`, async () => {
      const words = WORDS[spec.name] ?? ['web'];
      const running = start(['-s', url, spec.name, ...words], { cwd: folder });
      const code = await running.code;
      const documented = spec.exitCodes?.find(([known]) => known === code)?.[1];
      assert.match(documented ?? '', meaning, `exit code ${code}: ${running.text()}${running.errorText()}`);
    });
  }

test('our own commands have one exit code without a supervisor', async () => {
  for (const name of ['status', 'logs', 'describe', 'why', 'wait', 'top', 'scale', 'reopen', 'rotate'])
    for (const url of [`unix://${join(folder, 'none.sock')}`, dead]) {
      const running = start(['-s', url, name, ...(WORDS[name] ?? ['web'])], { cwd: folder });
      assert.equal(await running.code, 4, `${name} ${url}`);
    }
});
