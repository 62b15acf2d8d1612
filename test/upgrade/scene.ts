/**
 * Runs a supervisor with fixed programs, and records the facts that clients get: the client's output and requests,
 * XML-RPC, the JSON API and an event listener.
 */
import { request } from 'node:http';
import { createServer, connect } from 'node:net';
import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type Launched, launch } from '../e2e/launch.ts';
import { lackOf, shapeOfJson, shapeOfXml, type Shape } from './shape.ts';
import type { AnswerRecord, CommandRecord, Conversation, RequestRecord } from './transcripts.ts';

/** Gets an event, notes its bytes, and accepts it. */
const LISTENER = `#!/bin/sh
while printf 'READY\\n'; do
  read -r header || exit 0
  length=\${header##*len:}
  { printf '%s\\n' "$header"; dd bs=1 count="$length" 2>/dev/null; echo; } >>"$1"
  printf 'RESULT 2\\nOK'
done
`;

const CONFIG = `[supervisord]
identifier=old
[unix_http_server]
file=%FOLDER%/s.sock
[supervisorctl]
serverurl=unix://%FOLDER%/s.sock
[program:web]
command=sh -c "echo served; exec sleep 1000"
startsecs=0
[program:worker]
command=sleep 1000
numprocs=2
process_name=%(program_name)s_%(process_num)02d
startsecs=0
[program:bad]
command=/does/not/exist
startretries=0
[program:once]
command=sh -c "exit 3"
startsecs=0
autorestart=false
exitcodes=3
[program:manual]
command=sleep 1000
autostart=false
[eventlistener:listener]
command=%FOLDER%/listener %FOLDER%/events.txt
events=PROCESS_STATE,REMOTE_COMMUNICATION
startsecs=0
`;

/** Commands whose output scripts read. They change `web` and `worker`, and leave them running. */
const COMMANDS: ReadonlyArray<readonly string[]> = [
  ['version'],
  ['status'],
  ['status', 'web'],
  ['status', 'worker:*'],
  ['status', 'nope'],
  ['avail'],
  ['start', 'web'],
  ['stop', 'web'],
  ['stop', 'web'],
  ['start', 'web'],
  ['restart', 'web'],
  ['start', 'nope'],
  ['stop', 'nope:*'],
  ['restart', 'worker:*'],
  ['signal', 'WINCH', 'web'],
  ['signal', 'NOPE', 'web'],
  ['clear', 'web'],
  ['tail', 'nope'],
  ['reread'],
  ['update'],
  ['add', 'web'],
  ['remove', 'web'],
  ['pid', 'nope'],
  ['pid', 'bad'],
  ['nonsense'],
  ['help'],
  ['help', 'status'],
];

/** Commands whose requests are recorded. */
const ASKING: ReadonlyArray<readonly string[]> = [
  ['version'],
  ['status'],
  ['status', '--json'],
  ['pid', 'web'],
  ['avail'],
  ['stop', 'web'],
  ['start', 'web'],
  ['signal', 'WINCH', 'web'],
  ['reread'],
  ['tail', 'web'],
];

type Call = readonly [method: string, ...parameters: Array<string | number | boolean>];
const CALLS: readonly Call[] = [
  ...['getAPIVersion', 'getSupervisorVersion', 'getIdentification', 'getState', 'getPID'].map((name): Call => [
    `supervisor.${name}`,
  ]),
  ['supervisor.getAllProcessInfo'],
  ['supervisor.getAllConfigInfo'],
  ['supervisor.getProcessInfo', 'web'],
  ['supervisor.getProcessInfo', 'nope'],
  ['supervisor.readProcessStdoutLog', 'web', 0, 4],
  ['supervisor.tailProcessStdoutLog', 'web', 0, 4],
  ['supervisor.readLog', 0, 0],
  ['supervisor.startProcess', 'web'],
  ['supervisor.startProcess', 'bad'],
  ['supervisor.stopProcess', 'manual'],
  ['supervisor.stopProcess', 'web', true],
  ['supervisor.startProcess', 'web', true],
  ['supervisor.stopProcessGroup', 'worker'],
  ['supervisor.startProcessGroup', 'worker'],
  ['supervisor.signalProcess', 'web', 'WINCH'],
  ['supervisor.signalProcess', 'web', 'NOPE'],
  ['supervisor.sendProcessStdin', 'web', 'x'],
  ['supervisor.sendRemoteCommEvent', 'kind', 'data'],
  ['supervisor.addProcessGroup', 'web'],
  ['supervisor.removeProcessGroup', 'web'],
  ['supervisor.reloadConfig'],
  ['supervisor.clearProcessLogs', 'web'],
  ['supervisor.clearAllProcessLogs'],
  ['system.listMethods'],
  ['system.methodHelp', 'supervisor.getPID'],
  ['system.methodSignature', 'supervisor.getPID'],
  ['system.nope'],
  ['supervisor.getPID', 1],
];

/** Answers that do not end by themselves, and files. */
const ENDLESS = /\/(?:stream|follow|files|download|openapi\.json)$/;

/** Starts the scene. `owner` gets the cleanups. */
export async function startScene(owner: Parameters<typeof launch>[0]): Promise<Launched> {
  const launched = await launch(owner, { config: CONFIG, files: { listener: LISTENER } });
  await launched.waitForLine(/gave up: bad entered FATAL/);
  await launched.waitForLine(/exited: once/);
  await launched.waitForLine(/success: worker_01 entered RUNNING/);
  await eventually(launched, /processname:once[^]*PROCESS_STATE_EXITED|processname:once[^]*expected:1/);
  return launched;
}

/** Records everything, in an order that leaves the programs as they were. */
export async function recordConversation(launched: Launched): Promise<Conversation> {
  const commands = await recordCommands(launched);
  const requests = await recordRequests(launched);
  const calls = await recordCalls(launched);
  const { api, operations } = await recordApi(launched);
  await eventually(launched, /REMOTE_COMMUNICATION/);
  return {
    commands,
    requests,
    calls,
    methods: await signatures(launched),
    api,
    operations,
    events: await events(launched),
  };
}

export async function recordCommands(launched: Launched): Promise<CommandRecord[]> {
  const records: CommandRecord[] = [];
  for (const args of COMMANDS) {
    const { code, stdout } = await launched.ctl(...args);
    records.push({ args, code, stdout: normalize(stdout, launched.folder) });
  }
  return records;
}

/** Replaces what differs from run to run. */
function normalize(text: string, folder: string): string {
  return text
    .replaceAll(folder, 'FOLDER')
    .replace(/\bpid \d+/g, 'pid N')
    .replace(/\d+:\d\d:\d\d/g, 'H:MM:SS')
    .replace(/\b[A-Z][a-z]{2} \d\d \d\d:\d\d [AP]M/g, 'DATE');
}

async function signatures(launched: Launched): Promise<Record<string, string>> {
  const { text } = await callText(launched, ['system.listMethods']);
  const names = [...text.matchAll(/<string>([\w.]+)<\/string>/g)].map(([, name = '']) => name);
  const found: Record<string, string> = {};
  for (const name of names) {
    const answer = (await callText(launched, ['system.methodSignature', name])).text;
    found[name] = [...answer.matchAll(/<string>([^<]*)<\/string>/g)].map(([, type = '']) => type).join(' ');
  }
  return found;
}

async function recordCalls(launched: Launched): Promise<AnswerRecord[]> {
  const records: AnswerRecord[] = [];
  for (const call of CALLS)
    records.push({ call: JSON.stringify(call), shape: shapeOfXml((await callText(launched, call)).text) });
  return records;
}

function callText(launched: Launched, [method, ...parameters]: Call): Promise<Answer> {
  const types = { string: 'string', number: 'int', boolean: 'boolean' } as const;
  const values = parameters.map((value) => {
    const type = types[typeof value as keyof typeof types];
    return `<param><value><${type}>${typeof value === 'boolean' ? Number(value) : value}</${type}></value></param>`;
  });
  const head = `<?xml version="1.0"?><methodCall><methodName>${method}</methodName>`;
  const body = `${head}<params>${values.join('')}</params></methodCall>`;
  return send(launched, { method: 'POST', path: '/RPC2', headers: { 'content-type': 'text/xml' }, body });
}

async function recordApi(launched: Launched): Promise<Pick<Conversation, 'api' | 'operations'>> {
  const { text } = await get(launched, '/api/v1/openapi.json');
  const { paths } = JSON.parse(text) as { readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const api: AnswerRecord[] = [];
  for (const operation of operations) {
    const [method = '', path = ''] = operation.split(' ');
    if (method !== 'GET' || ENDLESS.test(path)) continue;
    const asked = path.replaceAll(/\{\w+\}/g, 'web');
    const answer = await get(launched, asked.startsWith('/api/') ? asked : `/api/v1${asked}`);
    if (answer.type.startsWith('application/json') && answer.status === 200)
      api.push({ call: operation, shape: shapeOfJson(JSON.parse(answer.text)) });
  }
  return { api, operations: operations.toSorted() };
}

function get(launched: Launched, path: string): Promise<Answer> {
  return send(launched, { method: 'GET', path, headers: {}, body: '' });
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

type Sent = Pick<RequestRecord, 'method' | 'path' | 'headers' | 'body'>;

/** Sends a request to the supervisor. */
export function send({ folder }: Launched, { method, path, headers, body }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: join(folder, 's.sock'), method, path, headers, agent: false }, (response) => {
      let text = '';
      response
        .setEncoding('utf8')
        .on('data', (part: string) => (text += part))
        .on('error', reject)
        .on('end', () =>
          resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text }),
        );
    });
    sent.on('error', reject).end(body);
  });
}

/** Returns the shape of an answer by its media type. */
export function shapeOf({ type, text }: Answer): Shape {
  if (type.startsWith('application/json')) return shapeOfJson(JSON.parse(text));
  return type.startsWith('text/xml') ? shapeOfXml(text) : { types: [type.split(';', 1)[0] ?? ''] };
}

/** Runs the client through a proxy that notes its requests. */
async function recordRequests(launched: Launched): Promise<RequestRecord[]> {
  const seen: Buffer[] = [];
  const proxy = createServer((client) => {
    const server = connect(join(launched.folder, 's.sock'));
    client.on('data', (bytes: Buffer) => void seen.push(bytes)).pipe(server);
    server.pipe(client);
    for (const socket of [client, server]) socket.on('error', () => undefined);
  });
  const path = join(launched.folder, 'proxy.sock');
  await new Promise<void>((resolve) => proxy.listen(path, resolve));
  const records: RequestRecord[] = [];
  for (const args of ASKING) {
    seen.length = 0;
    await launched.ctl('-s', `unix://${path}`, ...args);
    for (const sent of requestsIn(Buffer.concat(seen).toString('utf8'))) {
      const answer = await send(launched, sent);
      const body = sent.body.replaceAll(launched.folder, 'FOLDER');
      records.push({ command: args.join(' '), ...sent, body, status: answer.status, shape: shapeOf(answer) });
    }
  }
  proxy.close();
  return records;
}

/** Splits the bytes of a client into requests. Its bodies have a length. */
function requestsIn(text: string): Sent[] {
  const found: Sent[] = [];
  for (let rest = text; rest.includes('\r\n\r\n');) {
    const [head = '', ...more] = rest.split('\r\n\r\n');
    const [line = '', ...lines] = head.split('\r\n');
    const [method = '', path = ''] = line.split(' ');
    const headers = Object.fromEntries(
      lines.map((header) => [header.slice(0, header.indexOf(':')).toLowerCase(), header.replace(/^[^:]*:\s*/, '')]),
    );
    const tail = Buffer.from(more.join('\r\n\r\n'));
    const length = Number(headers['content-length'] ?? 0);
    found.push({ method, path, headers, body: tail.subarray(0, length).toString('utf8') });
    rest = tail.subarray(length).toString('utf8');
  }
  return found;
}

async function events({ folder }: Launched): Promise<string> {
  const text = await readFile(join(folder, 'events.txt'), 'utf8').catch(() => '');
  // Starts of different programs overlap, so only one program and the events of clients are compared.
  const kept = text
    .split(/(?=^ver:)/m)
    .filter((event) => /processname:web |REMOTE_COMMUNICATION/.test(event))
    .slice(0, 12);
  return kept.join('').replace(/\b(serial|poolserial|bytes|len|pid):\d+/g, '$1:N');
}

/** Waits until the listener has got an event. */
async function eventually({ folder }: Launched, pattern: RegExp): Promise<void> {
  for (let attempt = 0; attempt < 1200; attempt++) {
    const text = await readFile(join(folder, 'events.txt'), 'utf8').catch(() => '');
    if (pattern.test(text)) return;
    await delay(25);
  }
  throw new Error(`the listener has not got ${String(pattern)}`);
}

/** Returns what a newer conversation lacks of an older one: a line for each difference. */
export function lacks(older: Conversation, newer: Conversation): string[] {
  const compare = (name: string, before: readonly AnswerRecord[], after: readonly AnswerRecord[]): string[] =>
    before.flatMap(({ call, shape }) =>
      lackOf(shape, after.find((one) => one.call === call)?.shape, `${name} ${call}`),
    );
  const commands = older.commands.flatMap(({ args, code, stdout }, index) => {
    const now = newer.commands[index];
    if (now?.code === code && now.stdout === stdout) return [];
    const texts = `${JSON.stringify(stdout)} (${code}) is now ${JSON.stringify(now?.stdout)} (${now?.code ?? '?'})`;
    return [`supervisorctl ${args.join(' ')}: ${texts}`];
  });
  const methods = Object.entries(older.methods).filter(([name, types]) => newer.methods[name] !== types);
  return [
    ...commands,
    ...compare('XML-RPC', older.calls, newer.calls),
    ...compare('API', older.api, newer.api),
    ...methods.map(([name, types]) => `method ${name}: ${types} is now ${newer.methods[name] ?? 'gone'}`),
    ...older.operations.filter((one) => !newer.operations.includes(one)).map((one) => `the API has lost ${one}`),
    ...(older.events === newer.events
      ? []
      : [`events: ${JSON.stringify(older.events)} is now ${JSON.stringify(newer.events)}`]),
  ];
}
