/** TCP ports of this machine for tests that must name one. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * First port. The range is below the ports of outgoing connections (ip_local_port_range), which other tests may use at
 * any time.
 */
const FIRST = 20_000;
const END = 32_000;

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Finds a port of 127.0.0.1 without a listener. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, END);
    if (await isFree(port)) return port;
  }
}
