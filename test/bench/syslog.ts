/**
 * Lines to a log server over TCP. A program never waits for a server: what the server cannot take in time is dropped
 * and counted. So the case reports the speed of what arrived, and the part that was dropped.
 */
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from './context.ts';
import { sampleOf } from './figures.ts';
import type { Row } from './figures.ts';
import { nowMs } from './rig.ts';

const LINE_BYTES = 95;
/** The server has everything when nothing more comes for this time. */
const QUIET_MS = 1000;

/** Counts messages with their length before them (RFC 6587). */
class Receiver {
  count = 0;
  firstMs = 0;
  lastMs = 0;
  #rest: Buffer = Buffer.alloc(0);

  take(bytes: Buffer): void {
    this.lastMs = nowMs();
    if (this.count === 0) this.firstMs = this.lastMs;
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    for (;;) {
      const space = all.indexOf(0x20, at);
      const next = space < 0 ? Infinity : space + 1 + Number(all.toString('latin1', at, space));
      if (Number.isNaN(next)) throw new Error('a message has no length');
      if (next > all.length) break;
      at = next;
      this.count += 1;
    }
    this.#rest = all.subarray(at);
  }
}

export async function syslogRows({ rig, contenders, pick, rounds }: Bench): Promise<Row[]> {
  const lines = Math.ceil((pick(50, 5) * 1e6) / LINE_BYTES);
  const speeds: number[] = [];
  const dropped: number[] = [];
  const times = rounds(3, 1);
  for (let round = 0; round < times; round += 1) {
    const receiver = new Receiver();
    const server = createServer((socket: Socket) => void socket.on('data', (bytes) => receiver.take(bytes)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const running = await rig.start(
      contenders.ours,
      `[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=%FOLDER%/pid\n` +
        `[program:flood]\ncommand=${rig.path('flood')} ${lines} ${LINE_BYTES} flood\n` +
        `stdout_logfile=syslog+tcp://127.0.0.1:${port}\n`,
    );
    while (receiver.count === 0 || nowMs() - receiver.lastMs < QUIET_MS) await sleep(50);
    await running.stop();
    server.close();
    speeds.push((receiver.count * LINE_BYTES) / 1e3 / (receiver.lastMs - receiver.firstMs));
    dropped.push(100 * (1 - receiver.count / lines));
  }
  const none = { peer: null, peerName: '', goal: null };
  return [
    { what: 'one program, syslog over TCP, what arrived', unit: 'MB/s', ours: sampleOf(speeds), ...none },
    { what: '  dropped of a flood without a pause', unit: '%', ours: sampleOf(dropped), ...none },
  ];
}
