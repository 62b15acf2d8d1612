/**
 * Many clients in one process: each calls once, and then repeatedly on its connection until the time is up. Prints the
 * result as JSON.
 */
import { connect } from 'node:net';
import { decodeResponse } from '../../../src/rpc/xmlrpc.ts';
import { callRequest } from './server-world.ts';

const [path = '', clients = '200', seconds = '3'] = process.argv.slice(2);
const request = callRequest('supervisor.getAllProcessInfo');
const endMs = performance.now() + Number(seconds) * 1000;
let answers = 0;
const errors: string[] = [];

function runClient(): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    let received = Buffer.alloc(0);
    const ask = (): void => {
      socket.write(request);
    };
    const take = (): void => {
      const head = received.indexOf('\r\n\r\n');
      if (head === -1) return;
      const length = Number(/content-length: (\d+)/i.exec(received.toString('latin1', 0, head))?.[1]);
      if (received.length < head + 4 + length) return;
      const body = received.toString('utf8', head + 4, head + 4 + length);
      // Read one answer in a hundred completely. This process must not be slower than the server.
      if (answers % 100 === 0 && decodeResponse(body).kind !== 'value') errors.push(body.slice(0, 200));
      if (!body.endsWith('</methodResponse>\n')) errors.push(body.slice(-200));
      received = received.subarray(head + 4 + length);
      answers += 1;
      if (performance.now() < endMs) ask();
      else socket.end();
    };
    socket.on('connect', ask);
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      take();
    });
    socket.on('error', (error) => errors.push(error.message));
    socket.on('close', () => resolve());
  });
}

await Promise.all(Array.from({ length: Number(clients) }, runClient));
process.stdout.write(JSON.stringify({ answers, errors: errors.slice(0, 5) }));
