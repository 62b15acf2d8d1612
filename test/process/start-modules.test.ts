/** Modules of Node that a start must not load, because the first program would wait for them. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { CACHE } from '../../build/platform.ts';
import { freePort } from '../e2e/ports.ts';

const run = promisify(execFile);

const PIECE = join(CACHE, process.arch, 'onevisor-pieces', 'onevisor.cjs');
const NATIVE = join(import.meta.dirname, '..', '..', 'src', 'native');

/** Each takes 2 to 12 ms. A TCP server needs dns, and every server loads child_process. */
const LATE = ['http', 'https', 'crypto', 'zlib', 'tls', 'readline'];

/** Runs the program in a plain Node until its program has started, and prints the modules that are loaded then. */
const SCRIPT = `
const { existsSync, readFileSync } = require('node:fs');
const [piece, native, folder] = process.argv.slice(1);
const args = ['-n', '-c', folder + '/supervisord.conf'];
process.argv.splice(0, process.argv.length, process.execPath, process.execPath, ...args);
setInterval(() => {
  if (!existsSync(folder + '/started')) return;
  console.log(JSON.stringify(process.moduleLoadList.filter((name) => name.startsWith('NativeModule '))));
  process.kill(process.pid, 'SIGKILL');
}, 5);
require('node:vm').runInThisContext(readFileSync(piece, 'latin1'))({}, require, { exports: {} }, piece, native);
`;

test(
  'the first program does not wait for modules that are needed later',
  { skip: existsSync(PIECE) ? false : 'the executable is not built' },
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'onevisor-modules-'));
    t.after(() => rm(folder, { recursive: true }));
    await writeFile(
      join(folder, 'supervisord.conf'),
      `[supervisord]\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=${folder}/pid\nchildlogdir=${folder}\n` +
        `[unix_http_server]\nfile=${folder}/s.sock\n[inet_http_server]\nport=127.0.0.1:${await freePort()}\n` +
        `[program:once]\ncommand=touch ${folder}/started\nstartsecs=0\nautorestart=false\n`,
    );
    // It ends itself with SIGKILL.
    const { stdout, stderr } = await run(process.execPath, ['-e', SCRIPT, PIECE, NATIVE, folder]).catch(
      (error: { readonly stdout: string; readonly stderr: string }) => error,
    );
    const line = stdout.split('\n').find((text) => text.startsWith('["NativeModule'));
    const loaded = JSON.parse(line ?? assert.fail(JSON.stringify({ stdout, stderr }))) as string[];
    assert.deepEqual(
      LATE.filter((name) => loaded.includes(`NativeModule ${name}`)),
      [],
    );
  },
);
