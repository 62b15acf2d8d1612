/** Log servers for tests, over UDP and TCP, with the received messages in parsed form. */
import { createSocket } from 'node:dgram';
import type { Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** A message of RFC 5424. */
export interface Message {
  readonly priority: number;
  readonly time: string;
  readonly host: string;
  readonly name: string;
  readonly pid: number;
  readonly text: string;
}

const MESSAGE = /^<(\d+)>1 (\S+) (\S+) (\S+) (\d+) - - ([^]*)$/;

function parseMessage(text: string): Message {
  const match = MESSAGE.exec(text);
  if (match === null) throw new Error(`no message: ${JSON.stringify(text.slice(0, 200))}`);
  const [, priority, time = '', host = '', name = '', pid, rest = ''] = match;
  return { priority: Number(priority), time, host, name, pid: Number(pid), text: rest };
}

/** The common part of both kinds. */
class Receiver {
  readonly messages: Message[] = [];
  readonly #watchers = new Set<() => void>();

  /** Resolves when a message matches. */
  until(isSo: (message: Message) => boolean): Promise<Message> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.messages.find(isSo);
        if (found === undefined) return;
        this.#watchers.delete(look);
        resolve(found);
      };
      this.#watchers.add(look);
      look();
    });
  }

  texts(name: string): string[] {
    return this.messages.filter((message) => message.name === name).map(({ text }) => text);
  }

  protected take(text: string): void {
    this.messages.push(parseMessage(text));
    for (const look of this.#watchers) look();
  }
}

export class DatagramServer extends Receiver {
  readonly sizes: number[] = [];
  readonly port: number;
  readonly #socket: DatagramSocket;
  #isClosed = false;

  private constructor(socket: DatagramSocket) {
    super();
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on('message', (bytes) => {
      this.sizes.push(bytes.length);
      this.take(bytes.toString('utf8'));
    });
  }

  static async listen(t: TestContext, port = 0, address = '127.0.0.1'): Promise<DatagramServer> {
    const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 4 << 20 });
    socket.bind(port, address);
    await once(socket, 'listening');
    const server = new DatagramServer(socket);
    t.after(() => server.close());
    return server;
  }

  close(): void {
    if (!this.#isClosed) this.#socket.close();
    this.#isClosed = true;
  }
}

export class StreamServer extends Receiver {
  readonly connections = new Set<Socket>();
  /** Accepts connections and reads nothing. */
  isStalled = false;
  readonly port: number;
  /** Stops listening. Resolves when every connection is closed. */
  readonly ended: Promise<unknown>;
  readonly #server: Server;

  private constructor(server: Server) {
    super();
    this.ended = once(server, 'close');
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => {
      this.connections.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.connections.delete(socket));
      let rest: Buffer = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => {
        rest = this.#split(Buffer.concat([rest, chunk]));
      });
      if (this.isStalled) socket.pause();
    });
  }

  static async listen(t: TestContext, port = 0, isStalled = false): Promise<StreamServer> {
    const listener = createServer();
    listener.listen(port, '127.0.0.1');
    await once(listener, 'listening');
    const server = new StreamServer(listener);
    server.isStalled = isStalled;
    t.after(() => server.close());
    return server;
  }

  goOn(): void {
    this.isStalled = false;
    for (const socket of this.connections) socket.resume();
  }

  /** Closes every connection, and stops listening. */
  close(): void {
    for (const socket of this.connections) socket.resetAndDestroy();
    this.#server.close();
  }

  /** Takes complete messages, each after its length. Returns the rest. */
  #split(bytes: Buffer): Buffer {
    let at = 0;
    for (;;) {
      const blank = bytes.indexOf(0x20, at);
      if (blank === -1) break;
      const digits = bytes.toString('latin1', at, blank);
      if (!/^[1-9]\d*$/.test(digits)) throw new Error(`no length: ${JSON.stringify(digits.slice(0, 100))}`);
      const end = blank + 1 + Number(digits);
      if (end > bytes.length) break;
      this.take(bytes.toString('utf8', blank + 1, end));
      at = end;
    }
    return bytes.subarray(at);
  }
}
