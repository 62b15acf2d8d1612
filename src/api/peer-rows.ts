/**
 * The rows about other supervisors. A client names a peer by its id only. The role of the client here is checked by the
 * dispatcher, before a peer is asked with our credentials.
 */
import { formatClient } from '../core/cause.ts';
import { showText } from '../core/shown-text.ts';
import { PEER_HEADER, PeerError } from '../peers/ask.ts';
import { PeerBusyError, type PeerHub } from '../peers/peer-hub.ts';
import { nameOf, type PeerTarget } from '../peers/target.ts';
import { changeSchema } from './answer-schemas.ts';
import { ApiError, tooMany } from './api-error.ts';
import { peerLogsSchema, peersSchema } from './peer-schemas.ts';
import type { PeerLogsAnswer, PeersAnswer } from './peer-types.ts';
import { NAME_LENGTH } from './read-rows.ts';
import { type ApiCall, type ApiRow, defineRow } from './row.ts';
import { integer, maybe, oneOf, text } from './schema.ts';
import type { ChangeAnswer, ProgramStream } from './types.ts';

/** Most lines of an answer, and lines without the parameter. */
const MAX_LINES = 1000;
const DEFAULT_LINES = 100;

/** Longest part of a name that an error repeats. */
const SHOWN = 60;

type AnyCall = Pick<ApiCall<never, never>, 'exchange' | 'path'>;

/** Refuses a request of another supervisor: nothing is passed on from peer to peer. */
function requireClient({ exchange }: Pick<AnyCall, 'exchange'>): void {
  if (exchange.request.headers[PEER_HEADER.toLowerCase()] !== undefined)
    throw new ApiError(403, 'not_passed_on', 'a supervisor does not pass on requests of another one');
}

async function targetOf(hub: PeerHub, { path }: AnyCall): Promise<PeerTarget> {
  const target = await hub.find(path['id'] ?? '');
  if (target === null) throw new ApiError(404, 'unknown_peer', 'there is no peer with this id; GET /peers lists them');
  return target;
}

/**
 * Returns the name of a process, or `group:*`. The name becomes a part of a path at the peer, so everything is refused
 * that a proxy before it could take for another path.
 */
function checkName(name: string): string {
  const isWrong =
    name === '' ||
    name.length > NAME_LENGTH ||
    /[\p{Cc}\p{Cs}/\\?]/u.test(name) ||
    /^\.+$/.test(name) ||
    name.replace(/:\*$/, '').includes('*');
  if (isWrong)
    throw new ApiError(400, 'bad_name', `"${showText(name, SHOWN)}" is no name of a process; write web, or pool:*`);
  return name;
}

function actionRow(hubOf: () => PeerHub, action: 'start' | 'stop' | 'restart'): ApiRow {
  return defineRow<object, null, ChangeAnswer>({
    method: 'POST',
    path: `/peers/{id}/processes/{name}/${action}`,
    role: 'admin',
    summary: `Ask another supervisor to ${action} a process, or all of a group (group:*)`,
    answer: changeSchema,
    status: 202,
    run: async (call) => {
      requireClient(call);
      const hub = hubOf();
      const name = checkName(call.path['name'] ?? '');
      const target = await targetOf(hub, call);
      if (hub.isBusy) throw tooMany(429, 'too many actions of peers are running; wait for one of them, and try again');
      const client = call.exchange.client();
      return call.context.changes.begin({ action, names: [`${nameOf(target)} ${name}`], client }, async (note) => {
        for (const result of await hub.act(target, name, action, formatClient(client))) note(result);
      });
    },
  });
}

interface LogsQuery {
  readonly name: string;
  readonly stream?: ProgramStream;
  readonly limit?: number;
}

/** Makes the rows. `hubOf` is called for each request. */
export function peerRows(hubOf: () => PeerHub, wallMs: () => number): ApiRow[] {
  return [
    defineRow<object, null, PeersAnswer>({
      method: 'GET',
      path: '/peers',
      role: 'read',
      summary: 'Other supervisors with their processes; asked anew once a second at most',
      answer: peersSchema,
      run: async (call) => {
        requireClient(call);
        const peers = await hubOf().list();
        return { now: Math.round(wallMs()), peers };
      },
    }),
    defineRow<LogsQuery, null, PeerLogsAnswer>({
      method: 'GET',
      path: '/peers/{id}/logs',
      role: 'read',
      summary: 'The latest lines of a process of another supervisor',
      query: {
        name: text({ min: 1, max: NAME_LENGTH }),
        stream: maybe(oneOf(['stdout', 'stderr'], 'A Supervisor in Python: stdout without it')),
        limit: maybe(integer({ min: 1, max: MAX_LINES, standard: DEFAULT_LINES })),
      },
      answer: peerLogsSchema,
      run: async (call) => {
        requireClient(call);
        const hub = hubOf();
        const { name, stream = null, limit = DEFAULT_LINES } = call.query;
        const target = await targetOf(hub, call);
        try {
          return await hub.lines(target, { name: checkName(name), stream, limit });
        } catch (error) {
          if (error instanceof PeerBusyError) throw tooMany(503, error.message);
          if (error instanceof PeerError) throw new ApiError(409, 'peer_failed', `${nameOf(target)}: ${error.message}`);
          throw error;
        }
      },
    }),
    actionRow(hubOf, 'start'),
    actionRow(hubOf, 'stop'),
    actionRow(hubOf, 'restart'),
  ];
}
