/** Random requests to the HTTP servers: routes, calls, headers and bodies that are known, and broken bytes. */
import { createTable } from '../../src/api/table.ts';
import { encodeCall } from '../../src/rpc/xmlrpc.ts';
import { mutate, type Random } from './random.ts';

/** Rows that end or replace the supervisor. */
const ENDS = new Set(['/supervisor/shutdown', '/supervisor/reload']);
const TABLE = createTable().filter(({ path }) => !ENDS.has(path));
const METHODS = [
  'getState',
  'getAllProcessInfo',
  'getProcessInfo',
  'startProcess',
  'stopProcess',
  'tailProcessLog',
  'readLog',
  'signalProcess',
  'sendProcessStdin',
  'addProcessGroup',
  'removeProcessGroup',
  'reloadConfig',
  'clearLog',
];
const PAGES = [
  '/',
  '/index.html',
  '/logtail/web',
  '/mainlogtail',
  '/metrics',
  '/healthz',
  '/readyz',
  '/stylesheets/x',
  '/tail.html?processname=web',
  '/index.html?action=restart',
  '/dashboard',
  '/RPC2',
  '/program/web',
];
const NAMES = [
  'web',
  'job',
  'web:web',
  'job:*',
  '*',
  '..%2f..',
  '%00',
  '%ff',
  'a'.repeat(300),
  '__proto__',
  '',
  '%',
  ':',
];
const VALUES = [
  '1',
  '0',
  '-1',
  '1e9',
  'true',
  'x',
  '',
  '%00',
  '99999999999999999999',
  '2026-01-01',
  'all',
  '{',
  '%5B',
  'stdout',
];
const HEADERS = [
  'Accept: application/json',
  'Accept: text/event-stream',
  'Last-Event-ID: 5-6',
  'Content-Type: application/json',
  'Content-Type: text/xml',
  'Transfer-Encoding: chunked',
  'Content-Length: 5',
  'Content-Length: -1',
  'Connection: upgrade',
  'Expect: 100-continue',
  'Accept-Encoding: gzip',
  'Range: bytes=0-1',
  'Authorization: Basic eDp5',
  'Origin: http://evil',
  'Host:',
  'Host: evil',
  'X: \x01',
  'Cookie: a=b',
];
const BODIES = [
  '',
  '{}',
  '[]',
  'null',
  '{"name":"web"}',
  '{"signal":"HUP"}',
  '{"chars":"x"}',
  '{"__proto__":1}',
  '{"count":2}',
  '{"count":1e99}',
  '[{',
  '"\\ud800"',
  '{"names":["web"]}',
  '{"wait":true}',
  '{"timeout":0}',
];
const QUERIES = [
  'lines',
  'since',
  'until',
  'follow',
  'process',
  'stream',
  'usage',
  'timeout',
  'level',
  'q',
  'match',
  'before',
  'after',
  'limit',
  'wait',
  'signal',
  'offset',
  'length',
];

function makePath(random: Random): { method: string; path: string } {
  if (random.chance(0.3)) return { method: random.pick(['GET', 'POST', 'HEAD', 'PUT']), path: random.pick(PAGES) };
  const { method, path } = random.pick(TABLE);
  const filled = path.replaceAll(/\{\w+\}/g, () => random.pick(NAMES));
  const query = Array.from({ length: random.below(4) }, () => `${random.pick(QUERIES)}=${random.pick(VALUES)}`);
  return {
    method: random.chance(0.9) ? method : random.pick(['GET', 'POST', 'DELETE', 'OPTIONS', 'TRACE', 'x']),
    path: `/api/v1${filled}${query.length === 0 ? '' : `?${query.join('&')}`}`,
  };
}

function makeCall(random: Random): string {
  const params = Array.from({ length: random.below(4) }, () =>
    random.pick([...NAMES, 1, -1, 2 ** 31 - 1, true, [], {}]),
  );
  const call = encodeCall(`${random.pick(['supervisor', 'onevisor', 'system'])}.${random.pick(METHODS)}`, params);
  return random.chance(0.7) ? call : mutate(call, random, ['<value>', '</value>', '<nil/>']);
}

/** Makes the bytes of a request. `more`: further headers. `broken`: the share of requests that are broken. */
export function makeRequest(random: Random, more: readonly string[] = [], broken = 0.2): string {
  const isCall = random.chance(0.2);
  const { method, path } = isCall ? { method: 'POST', path: '/RPC2' } : makePath(random);
  const other = random.chance(0.5) ? random.pick(BODIES) : '';
  const body = isCall ? makeCall(random) : other;
  const headers = ['Host: localhost', ...(isCall ? ['Content-Type: text/xml'] : []), ...more];
  if (random.chance(0.97)) headers.push(`Content-Length: ${Buffer.byteLength(body)}`);
  if (!isCall && method !== 'GET' && random.chance(0.9)) headers.push('Content-Type: application/json');
  // Without it, no body of a change is read.
  if (!isCall && method === 'POST' && random.chance(0.8)) headers.push('X-Onevisor: 1');
  if (random.chance(0.3)) headers.push(random.pick(HEADERS));
  const text = `${method} ${path} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`;
  if (random.chance(1 - broken)) return text;
  return mutate(text, random, [
    '\r\n',
    '\n',
    ' HTTP/1.0',
    '/../',
    '%2e',
    ': ',
    '\r\n\r\n',
    '0\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
  ]);
}
