/** Talks to a peer of ours through its JSON API. */
import type { ChangeResult } from '../api/types.ts';
import { showText } from '../core/shown-text.ts';
import { PeerError, type PeerReply } from './ask.ts';
import { cleanLines, cleanProcesses, type Members, membersOf, textOf } from './clean.ts';
import { isQuickToParse } from './json-size.ts';
import type { AskPeer, PeerAction, PeerFacts, PeerProtocol, WantedLines } from './protocol.ts';

/** Seconds for which a peer may keep a request that waits for a change. */
const WAIT_S = 20;
/** Most of these requests for one change: ten minutes. */
const MOST_WAITS = 30;
/** Most results of a change that are kept. */
const MOST_RESULTS = 200;
const REASON_LENGTH = 200;

/** The JSON API of a peer. */
export const jsonProtocol: PeerProtocol = { read, act, lines };

async function read(ask: AskPeer): Promise<PeerFacts | null> {
  const reply = await ask({ method: 'GET', path: '/api/v1/version' });
  const version = parse(reply);
  if (version === null || typeof version['onevisor'] !== 'string') {
    requireAccess(reply);
    return null;
  }
  if (version['api'] !== 1) throw new PeerError('its version of the JSON API is not known; upgrade this supervisor');
  const list = await ask({ method: 'GET', path: '/api/v1/processes' });
  requireAccess(list);
  const processes = cleanProcesses(parse(list)?.['processes']);
  if (processes === null) throw new PeerError(`it does not tell its processes (${describe(list)})`);
  return {
    kind: 'onevisor',
    version: textOf(version['onevisor']),
    identifier: textOf(version['identifier']),
    host: textOf(version['host']),
    state: textOf(version['state']),
    role: textOf(version['role']),
    epoch: textOf(version['epoch']),
    processes,
  };
}

async function act(ask: AskPeer, name: string, action: PeerAction): Promise<readonly ChangeResult[]> {
  const begun = await ask({
    method: 'POST',
    path: `/api/v1/processes/${encodeURIComponent(name)}/${action}`,
    headers: { 'Content-Type': 'application/json', 'X-Onevisor': '1' },
    body: '{}',
  });
  let change = requireObject(begun);
  for (let waits = 0; change['status'] === 'running' && waits < MOST_WAITS; waits++) {
    const id = change['id'];
    // The id becomes a part of a path.
    if (typeof id !== 'string' || !/^[\w-]{1,64}$/.test(id)) throw new PeerError('it answers a change without an id');
    change = requireObject(await ask({ method: 'GET', path: `/api/v1/changes/${id}/wait?timeout=${WAIT_S}` }));
  }
  const results = resultsOf(change['results']);
  if (change['status'] === 'done' || results.some(({ ok }) => !ok)) return results;
  const reason = change['status'] === 'running' ? 'it takes longer than ten minutes' : textOf(change['error']);
  throw new PeerError(showText(reason ?? 'the change has failed', REASON_LENGTH));
}

function resultsOf(list: unknown): ChangeResult[] {
  if (!Array.isArray(list)) return [];
  return list.slice(0, MOST_RESULTS).flatMap((value: unknown) => {
    const given = membersOf(value) ?? {};
    const [name, text] = [textOf(given['name']), textOf(given['text'])];
    return name === null || text === null ? [] : [{ name, ok: given['ok'] === true, text }];
  });
}

async function lines(ask: AskPeer, { name, stream, limit }: WantedLines): ReturnType<PeerProtocol['lines']> {
  const query = new URLSearchParams({ names: name, limit: String(limit) });
  if (stream !== null) query.set('streams', stream);
  const answer = requireObject(await ask({ method: 'GET', path: `/api/v1/logs?${query.toString()}` }));
  const cleaned = cleanLines(answer['lines']);
  if (cleaned === null) throw new PeerError('it answers no lines');
  return { lines: cleaned.slice(-limit), more: answer['more'] === true };
}

/** Returns the object of an answer. Throws the reason of the peer for an error. */
function requireObject(reply: PeerReply): Members {
  requireAccess(reply);
  const body = parse(reply);
  if (body !== null && reply.status < 300) return body;
  const message = textOf(membersOf(body?.['error'])?.['message']);
  throw new PeerError(message === null ? describe(reply) : showText(message, REASON_LENGTH));
}

/** Throws if the peer does not accept our credentials. */
export function requireAccess({ status }: PeerReply): void {
  if (status === 401) throw new PeerError('it does not accept the user and the password (HTTP 401)');
  if (status === 403)
    throw new PeerError('it does not allow this (HTTP 403): its user needs another role or host name');
}

function describe({ status }: PeerReply): string {
  return `HTTP ${status}`;
}

function parse({ text }: PeerReply): Members | null {
  if (!isQuickToParse(text)) throw new PeerError('its answer has too many values');
  try {
    return membersOf(JSON.parse(text));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
}
