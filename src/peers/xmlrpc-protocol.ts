/**
 * Talks to a Supervisor in Python over XML-RPC. All facts are one `system.multicall`, since each request is a new
 * connection.
 */
import type { PeerLogsAnswer } from '../api/peer-types.ts';
import type { ChangeResult } from '../api/types.ts';
import { faults } from '../core/faults.ts';
import { formatNamespec, parseNamespec } from '../core/namespec.ts';
import { type ActionResult, formatActionResult } from '../core/result-text.ts';
import { showText } from '../core/shown-text.ts';
import { decodeResponse, encodeCall, type XmlRpcResponse, XmlRpcSyntaxError, type XmlRpcValue } from '../rpc/xmlrpc.ts';
import { PeerError } from './ask.ts';
import { cleanProcesses, membersOf, textOf } from './clean.ts';
import { requireAccess } from './json-protocol.ts';
import type { AskPeer, PeerAction, PeerFacts, PeerProtocol, WantedLines } from './protocol.ts';

/** Most elements of an answer, whose parsing blocks the event loop: the records of 1,700 processes. */
const MAX_ELEMENTS = 100_000;
/** Output that is read for lines: about this much for each line. */
const LINE_BYTES = 200;
const MAX_LOG_BYTES = 1024 * 1024;
const REASON_LENGTH = 200;
/** Length of the beginning of an answer, in which XML-RPC has the name of its element. */
const HEAD_LENGTH = 200;

/** XML-RPC of a Supervisor. */
export const xmlRpcProtocol: PeerProtocol = { read, act, lines };

const FACTS = [
  'supervisor.getSupervisorVersion',
  'supervisor.getIdentification',
  'supervisor.getState',
  'supervisor.getAllProcessInfo',
];

async function read(ask: AskPeer): Promise<PeerFacts | null> {
  const calls = FACTS.map((methodName) => ({ methodName, params: [] }));
  const answer = await call(ask, 'system.multicall', [calls]);
  if (answer === null) return null;
  if (answer.kind === 'fault' || !Array.isArray(answer.value)) throw new PeerError('it is no Supervisor');
  const [version, identifier, state, list] = answer.value as readonly XmlRpcValue[];
  const processes = cleanProcesses(list);
  const text = textOf(version);
  if (text === null || processes === null) throw new PeerError('it is no Supervisor');
  return {
    kind: 'supervisor',
    version: text,
    identifier: textOf(identifier),
    host: null,
    state: textOf(membersOf(state)?.['statename']),
    role: 'admin',
    epoch: null,
    processes,
  };
}

async function act(ask: AskPeer, name: string, action: PeerAction): Promise<readonly ChangeResult[]> {
  const group = name.endsWith(':*') ? name.slice(0, -2) : null;
  const change = (done: Done): Promise<ActionResult[]> =>
    group === null ? changeProcess(ask, name, done) : changeGroup(ask, group, done);
  if (action !== 'restart') {
    const done = action === 'start' ? 'started' : 'stopped';
    return (await change(done)).map((result) => toResult(result, done));
  }
  // As `supervisorctl restart`: a process that does not run is started. Any other failure ends the restart.
  const stopped = (await change('stopped')).filter(({ status }) => status !== faults.NOT_RUNNING);
  const told = stopped.map((result) => toResult(result, 'stopped'));
  if (stopped.some(({ status }) => status !== faults.SUCCESS)) return told;
  return [...told, ...(await change('started')).map((result) => toResult(result, 'started'))];
}

type Done = 'started' | 'stopped';

const METHODS = { started: 'supervisor.startProcess', stopped: 'supervisor.stopProcess' } as const;

async function changeProcess(ask: AskPeer, spec: string, done: Done): Promise<ActionResult[]> {
  const { group, process: name } = parseNamespec(spec);
  const answer = await callMethod(ask, METHODS[done], [spec, true]);
  const status = answer.kind === 'fault' ? answer.code : faults.SUCCESS;
  const description = answer.kind === 'fault' ? answer.text : '';
  return [{ name: name ?? group, group, status, description, reason: null }];
}

async function changeGroup(ask: AskPeer, group: string, done: Done): Promise<ActionResult[]> {
  const answer = await callMethod(ask, `${METHODS[done]}Group`, [group, true]);
  if (answer.kind === 'fault')
    return [{ name: '*', group, status: answer.code, description: answer.text, reason: null }];
  if (!Array.isArray(answer.value)) return [];
  return (answer.value as readonly XmlRpcValue[]).flatMap((one) => {
    const { name, status, description } = membersOf(one) ?? {};
    const [known, words] = [textOf(name), textOf(description)];
    if (known === null || typeof status !== 'number') return [];
    return [{ name: known, group, status, description: words ?? '', reason: null }];
  });
}

/** Converts a result to the words of supervisorctl. */
function toResult(result: ActionResult, done: Done): ChangeResult {
  const name = formatNamespec(result.group, result.name);
  const text = formatActionResult(result, done) ?? `${name}: ERROR (${showText(result.description, REASON_LENGTH)})`;
  return { name, ok: result.status === faults.SUCCESS, text };
}

async function lines(ask: AskPeer, { name, stream, limit }: WantedLines): Promise<PeerLogsAnswer> {
  const chosen = stream ?? 'stdout';
  const method = chosen === 'stdout' ? 'supervisor.tailProcessStdoutLog' : 'supervisor.tailProcessStderrLog';
  const answer = await callMethod(ask, method, [name, 0, Math.min(limit * LINE_BYTES, MAX_LOG_BYTES)]);
  if (answer.kind === 'fault')
    throw new PeerError(answer.code === faults.BAD_NAME ? 'no such process' : showText(answer.text, REASON_LENGTH));
  const parts: readonly XmlRpcValue[] = Array.isArray(answer.value) ? (answer.value as readonly XmlRpcValue[]) : [];
  const text = textOf(parts[0], MAX_LOG_BYTES);
  if (text === null) throw new PeerError('it answers no lines');
  const found = text.replace(/\n$/, '').split('\n');
  const isCut = parts[2] === true;
  // The first line of a cut log is the end of a line.
  const whole = isCut ? found.slice(1) : found;
  const all = text === '' ? [] : whole;
  return {
    lines: all.slice(-limit).map((line) => ({ name, stream: chosen, text: line })),
    more: isCut || all.length > limit,
  };
}

/** Calls a method. Throws if the peer does not speak XML-RPC. */
async function callMethod(ask: AskPeer, method: string, params: readonly XmlRpcValue[]): Promise<XmlRpcResponse> {
  const answer = await call(ask, method, params);
  if (answer === null) throw new PeerError('it is no Supervisor');
  return answer;
}

/** Calls a method. Resolves with null if the peer does not speak XML-RPC. */
async function call(ask: AskPeer, method: string, params: readonly XmlRpcValue[]): Promise<XmlRpcResponse | null> {
  const reply = await ask({
    method: 'POST',
    path: '/RPC2',
    headers: { 'Content-Type': 'text/xml', Accept: 'text/xml' },
    body: encodeCall(method, params),
  });
  requireAccess(reply);
  if (reply.status !== 200) return null;
  try {
    return decodeResponse(reply.text, MAX_ELEMENTS);
  } catch (error) {
    if (!(error instanceof XmlRpcSyntaxError)) throw error;
    if (!reply.text.slice(0, HEAD_LENGTH).includes('<methodResponse')) return null;
    throw new PeerError(`cannot read its answer: ${showText(error.message, REASON_LENGTH)}`);
  }
}
