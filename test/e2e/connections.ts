/** Clients for tests of servers: one connection at a time, and a load of many over restarts. */
import { request } from 'node:http';
import { connect, type NetConnectOpts } from 'node:net';

/** Outcome of one connection. `lost`: it was accepted or queued, and ended without an answer. */
export type Outcome = 'served' | 'refused' | 'lost';

/** Sends `text` over a new connection. Resolves with everything that comes back. */
export function exchange(options: NetConnectOpts, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(options);
    let answer = '';
    socket.on('connect', () => socket.write(text));
    socket.on('data', (bytes: Buffer) => (answer += bytes.toString('latin1')));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

/** Makes one connection after the other from several clients until `stop` is called, and counts their outcomes. */
export function generateLoad(
  options: NetConnectOpts,
  text: string,
  isServed: (answer: string) => boolean,
): { readonly stop: () => Promise<Readonly<Record<Outcome, number>>> } {
  const counts: Record<Outcome, number> = { served: 0, refused: 0, lost: 0 };
  const over = new AbortController();
  const run = async (): Promise<void> => {
    while (!over.signal.aborted) counts[await outcomeOf(options, text, isServed)] += 1;
  };
  const clients = Promise.all(Array.from({ length: 4 }, run));
  return {
    stop: async () => {
      over.abort();
      await clients;
      return counts;
    },
  };
}

async function outcomeOf(
  options: NetConnectOpts,
  text: string,
  isServed: (answer: string) => boolean,
): Promise<Outcome> {
  try {
    return isServed(await exchange(options, text)) ? 'served' : 'lost';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return 'refused';
    if (code === 'ECONNRESET' || code === 'EPIPE') return 'lost';
    throw error;
  }
}

/** Returns the path of the private control socket of a PID 1, as seen from its test. */
export function privateSocketOf({ pid }: { readonly pid: number }): string {
  return `/proc/${pid}/root/run/onevisor.sock`;
}

/** Calls a method of XML-RPC with texts over a control socket. Returns the answer as XML. Rejects with a fault. */
export function callMethod(socketPath: string, method: string, ...texts: readonly string[]): Promise<string> {
  const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const parameters = texts.map((text) => `<param><value><string>${escape(text)}</string></value></param>`);
  const body =
    `<?xml version="1.0"?><methodCall><methodName>${method}</methodName>` +
    `<params>${parameters.join('')}</params></methodCall>`;
  return new Promise((resolve, reject) => {
    const sent = request(
      { socketPath, path: '/RPC2', method: 'POST', headers: { 'content-type': 'text/xml' }, agent: false },
      (response) => {
        let text = '';
        response
          .setEncoding('utf8')
          .on('data', (part: string) => (text += part))
          .on('end', () => (text.includes('<fault>') ? reject(new Error(text)) : resolve(text)))
          .on('error', reject);
      },
    );
    sent.on('error', reject).end(body);
  });
}
