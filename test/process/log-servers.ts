/** Log servers for tests, over UDP, TCP and TLS, with the received messages in parsed form. */
import { createSocket } from 'node:dgram';
import type { Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import type { TlsOptions } from 'node:tls';
import type { TestContext } from 'node:test';

/** A message of RFC 5424. */
export interface Message {
  readonly priority: number;
  readonly time: string;
  readonly host: string;
  readonly name: string;
  readonly pid: number;
  /** Structured data; `-` without any. */
  readonly data: string;
  readonly text: string;
}

const MESSAGE = /^<(\d+)>1 (\S+) (\S+) (\S+) (\d+) - (-|\[.*?\](?= )) ([^]*)$/;

function parseMessage(text: string): Message {
  const match = MESSAGE.exec(text);
  if (match === null) throw new Error(`no message: ${JSON.stringify(text.slice(0, 200))}`);
  const [, priority, time = '', host = '', name = '', pid, data = '', rest = ''] = match;
  return { priority: Number(priority), time, host, name, pid: Number(pid), data, text: rest };
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
  /** Messages that are not of RFC 5424. */
  readonly raw: string[] = [];
  readonly port: number;
  readonly #socket: DatagramSocket;
  #isClosed = false;

  private constructor(socket: DatagramSocket) {
    super();
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on('message', (bytes) => {
      this.sizes.push(bytes.length);
      const text = bytes.toString('utf8');
      if (/^<\d+>1 /.test(text)) this.take(text);
      else this.raw.push(text);
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

  private constructor(server: Server, connected: string) {
    super();
    this.ended = once(server, 'close');
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on(connected, (socket: Socket) => {
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
    const server = await StreamServer.#open(t, createServer(), 'connection', port);
    server.isStalled = isStalled;
    return server;
  }

  /** Listens with TLS. */
  static listenTls(t: TestContext, options: TlsOptions, port = 0): Promise<StreamServer> {
    return StreamServer.#open(t, createTlsServer(options), 'secureConnection', port);
  }

  static async #open(t: TestContext, listener: Server, connected: string, port: number): Promise<StreamServer> {
    listener.listen(port, '127.0.0.1');
    await once(listener, 'listening');
    const server = new StreamServer(listener, connected);
    t.after(() => server.close());
    return server;
  }

  goOn(): void {
    this.isStalled = false;
    for (const socket of this.connections) socket.resume();
  }

  /** Closes every connection, and stops listening. */
  close(): void {
    for (const socket of this.connections) {
      if (socket instanceof TLSSocket) socket.destroy();
      else socket.resetAndDestroy();
    }
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

/** Files of an authority, and of certificates that it has signed. Each certificate is a file NAME.pem with its key. */
export class Authority {
  readonly folder = mkdtempSync(join(tmpdir(), 'log-authority-'));

  constructor(t: TestContext) {
    t.after(() => rmSync(this.folder, { recursive: true }));
    this.#openssl('req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem');
  }

  /** File with the certificate of the authority. */
  get path(): string {
    return join(this.folder, 'ca.pem');
  }

  /** Makes a certificate for a name. Returns the path of the file with it and its key. */
  issue(name: string, subject = `DNS:${name}`): string {
    this.#openssl(
      `req -newkey rsa:2048 -nodes -subj /CN=${name} -addext subjectAltName=${subject} -keyout ${name}.pem ` +
        `-out ${name}.csr`,
    );
    const signed = this.#openssl(
      `x509 -req -in ${name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -copy_extensions copy`,
    );
    appendFileSync(join(this.folder, `${name}.pem`), signed);
    return join(this.folder, `${name}.pem`);
  }

  #openssl(line: string): string {
    return execFileSync('openssl', line.split(' '), { cwd: this.folder, encoding: 'utf8', stdio: 'pipe' });
  }
}
