/**
 * Every fault for every command, with Supervisor's supervisorctl and ours, from a server with arbitrary answers: output
 * and exit code are the same.
 */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { decodeCall, encodeFault, encodeResponse, type XmlRpcValue } from '../../src/rpc/xmlrpc.ts';
import { start } from '../unit/ctl/fake-server.ts';
import { needsSupervisor, normalise, type Outcome, runReal } from './ctl-world.ts';

/** An answer to a method, as the text of an HTTP response. */
type Answer = (method: string) => string;

/** Methods whose answer has several processes, and the lines that need them. */
const SEVERAL_LINES = /all$|\*$|^update/;
const SEVERAL = /AllProcesses$|ProcessGroup$|AllProcessLogs$/;
const LINES = [
  'start x',
  'start g:*',
  'start all',
  'stop x',
  'stop g:*',
  'stop all',
  'restart x',
  'signal HUP x',
  'signal HUP g:*',
  'signal HUP all',
  'clear x',
  'clear all',
  'tail x',
  'maintail',
  'fg x',
  'reread',
  'update',
  'update x',
  'add x',
  'remove x',
  'pid x',
  'pid',
  'pid all',
  'status',
  'version',
  'avail',
  'reload\ny',
  'shutdown\nyes',
  'reload\nn',
  'shutdown\n',
];
/** Lines whose exit code depends on the fault in a special way. */
const ENDS = [
  'start x',
  'start g:*',
  'stop x',
  'restart x',
  'signal HUP x',
  'clear x',
  'tail x',
  'fg x',
  'reread',
  'update',
  'add x',
  'remove x',
  'shutdown',
];
const FAULT_CODES = [1, 6, 10, 11, 20, 21, 30, 40, 50, 60, 70, 80, 90, 91, 92, 999];
const RESULT_CODES = [10, 11, 20, 30, 50, 60, 70, 80, 999];

const faultFor =
  (code: number): Answer =>
  (method) =>
    method === 'supervisor.getVersion' ? encodeResponse('3.0') : encodeFault(code, "NAME: it's <here>");

/**
 * Answers with several processes: the first has this result and the second succeeds. Removing and adding groups
 * succeeds.
 */
const resultFor =
  (code: number): Answer =>
  (method) => {
    if (method === 'supervisor.getVersion') return encodeResponse('3.0');
    if (method === 'supervisor.addProcessGroup' || method === 'supervisor.removeProcessGroup')
      return encodeResponse(true);
    if (method === 'supervisor.reloadConfig') return encodeResponse([[['new'], ['other'], ['old']]]);
    if (SEVERAL.test(method))
      return encodeResponse([
        { name: 'a', group: 'a', status: code, description: 'D: text' },
        { name: 'b', group: 'g', status: 80, description: 'OK' },
      ]);
    return encodeFault(code, 'NAME');
  };

const info = (
  name: string,
  [state, statename]: readonly [state: number, statename: string],
  description: string,
  pid = 0,
): XmlRpcValue => ({
  name,
  group: name,
  state,
  statename,
  description,
  pid,
  start: 1,
  stop: 2,
  now: 3,
  exitstatus: 0,
  spawnerr: '',
  logfile: '',
  stdout_logfile: '',
  stderr_logfile: '',
});
const STATES: readonly XmlRpcValue[] = [
  info('a', [0, 'STOPPED'], 'Not started'),
  info('b', [10, 'STARTING'], ''),
  info('c', [20, 'RUNNING'], 'pid 7, uptime 0:00:01', 7),
  info('d', [30, 'BACKOFF'], 'Exited too quickly (process log may have details)'),
  info('e', [40, 'STOPPING'], ''),
  info('f', [100, 'EXITED'], 'Jan 01 12:00 AM'),
  info('g', [200, 'FATAL'], "can't find command 'x'"),
  info('h', [1000, 'UNKNOWN'], ''),
  info('ü-name', [20, 'RUNNING'], 'ünïcode', 8),
];
/** Answers our own methods as Supervisor does, which does not know them. */
const answerUnknown = (method: string): string | null =>
  method.startsWith('onevisor.') ? encodeFault(1, 'UNKNOWN_METHOD') : null;

const states: Answer = (method) =>
  method === 'supervisor.getVersion' ? encodeResponse('3.0') : encodeResponse(STATES);

describe('the same faults to both clients', needsSupervisor, () => {
  let answer: Answer = states;
  let status = 200;
  let server: Server;
  let directory: string;
  let select: string[];

  before(async () => {
    server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        if (request.method === 'GET') response.writeHead(200).end('a log\n');
        else if (status === 200)
          response
            .writeHead(200, { 'Content-Type': 'text/xml' })
            .end(answerUnknown(decodeCall(body).method) ?? answer(decodeCall(body).method));
        else if (status === 0) response.destroy();
        else response.writeHead(status, { 'Content-Length': '0' }).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    directory = mkdtempSync(join(tmpdir(), 'ctl-'));
    writeFileSync(join(directory, 'c.conf'), '[supervisorctl]\n');
    select = ['-c', join(directory, 'c.conf'), '-s', `http://127.0.0.1:${(server.address() as AddressInfo).port}`];
  });
  after(async () => {
    rmSync(directory, { recursive: true });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const runHere = async (args: readonly string[], input: string): Promise<Outcome> => {
    const running = start(args, { cwd: directory, input });
    const code = await running.code;
    return { stdout: running.text(), stderr: running.errorText(), code };
  };
  const compare = async (args: readonly string[], input: string): Promise<void> => {
    const [real, ours] = await Promise.all([
      runReal([...select, ...args], { cwd: directory, input }),
      runHere([...select, ...args], input),
    ]);
    assert.deepEqual({ ...ours, stdout: normalise(ours.stdout) }, { ...real, stdout: normalise(real.stdout) });
    assert.ok(real.stdout.length > 0);
  };

  for (const code of FAULT_CODES) {
    it(`fault ${code}, in the shell`, () => {
      answer = faultFor(code);
      return compare([], `${LINES.filter((line) => line !== 'update x').join('\n')}\n`);
    });
  }
  for (const code of RESULT_CODES) {
    it(`result ${code}, in the shell`, () => {
      answer = resultFor(code);
      return compare([], `${LINES.filter((line) => SEVERAL_LINES.test(line)).join('\n')}\n`);
    });
  }

  for (const code of [6, 10, 30, 50, 60, 70, 91]) {
    it(`fault ${code}, exit codes`, async () => {
      answer = faultFor(code);
      for (const line of ENDS) await compare([line], '');
    });
  }
  for (const code of [10, 30, 50, 60, 70]) {
    it(`result ${code}, exit codes`, async () => {
      answer = resultFor(code);
      for (const line of ['start g:*', 'stop all', 'signal HUP g:*', 'clear all', 'update']) await compare([line], '');
    });
  }

  it('every state', async () => {
    answer = states;
    for (const line of [
      'status',
      'pid all',
      ...['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'a nosuch'].map((name) => `status ${name}`),
    ])
      await compare([line], '');
  });

  it('other API versions, other servers, broken answers', async () => {
    answer = () => encodeResponse('2.0');
    for (const line of ['pid', 'status', 'start x']) await compare([line], '');
    answer = () => encodeFault(1, 'UNKNOWN_METHOD');
    for (const line of ['pid', 'status', 'start x']) await compare([line], '');
    answer = () => encodeFault(6, 'SHUTDOWN_STATE');
    await compare(['pid'], '');
    for (const each of [500, 404, 403, 401, 0]) {
      status = each;
      await compare(['pid'], '');
    }
    status = 200;
    answer = () => '<html><body>hello</body></html>';
    const { stdout, code } = await runHere([...select, 'pid'], '');
    assert.match(stdout, /^error: <class 'xmlrpc.client.ResponseError'>, cannot understand the answer of the server: /);
    assert.equal(code, 1);
  });
});
