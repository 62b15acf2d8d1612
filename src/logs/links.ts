/**
 * Connections to a log server: a datagram for each message over UDP, and octet counting over TCP (RFC 6587) and TLS
 * (RFC 5425).
 * A connection sends its messages or is lost. The outlet keeps messages and decides when to connect again.
 */
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns';
import type { LookupAddress, LookupOptions } from 'node:dns';
import { connect as connectTcp, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { LogServer } from '../core/log-server.ts';
import { pathProbe } from '../files/path-probe.ts';
import { connectTls, explainTls } from './tls-client.ts';

/** An open connection. */
export interface Link {
  /**
   * Sends messages in their order, or only the first of them. `sent` gets the number of messages taken. `sent` is
   * called after this call returned, and never after a loss.
   */
  send(messages: readonly Buffer[], sent: (count: number) => void): void;
  /**
   * Ends the connection. Messages that were taken still go out. No event comes afterwards. `closed` is called when the
   * server has the end of the connection, or cannot get it.
   */
  close(closed?: () => void): void;
}

/** Events of a connection. `lost` may come without `opened`, and comes at most once. */
export interface LinkEvents {
  opened(link: Link): void;
  /** `error` is null if the server closed the connection in order. */
  lost(error: NodeJS.ErrnoException | null): void;
}

/**
 * Starts a connection. `attempt` counts from 0. No event comes before the call returned. The returned function cancels
 * the attempt.
 */
export type Connect = (attempt: number, events: LinkEvents) => () => void;

/**
 * Maximum number of bytes of one message. Most receivers take a datagram of this size, and a message over TCP of this
 * size.
 */
export const MAX_MESSAGE_BYTES: Readonly<Record<LogServer['protocol'], number>> = {
  udp: 8 * 1024,
  tcp: 64 * 1024,
  tls: 64 * 1024,
};

/** Maximum number of datagrams in a row. Other work of the loop gets its turn then. */
const BURST = 256;

/** Maximum number of bytes of messages in one write over TCP. */
const BATCH_BYTES = 64 * 1024;

const KEEPALIVE_MS = 60_000;
/** A log server sends nothing. A connection that receives more than this is closed: reading a flood would cost time. */
const MAX_RECEIVED_BYTES = 64 * 1024;

/** Time for the end of a TLS connection that we close. */
const CLOSE_MS = 5000;

/** Returns the function that connects to a server. */
export function connectTo(server: LogServer): Connect {
  const { protocol, host, port } = server;
  switch (protocol) {
    case 'udp':
      return (attempt, events) => openDatagrams(host, port, attempt, events);
    case 'tcp':
      return (_attempt, events) =>
        openStream(() => connectTcp({ host, port, lookup: lookUpInTurn }), 'connect', events);
    case 'tls':
      return (_attempt, events) => openTls(server, events);
  }
}

/** Connects by TLS, once the files of its options can be reached. */
function openTls(server: LogServer, events: LinkEvents): () => void {
  const { ca, cert, key } = server.trust ?? {};
  let isCancelled = false;
  const end = pathProbe.whenReached(
    () => [ca, cert, key].filter((file) => file !== undefined),
    () => openStream(() => connectTls(server, lookUpInTurn), 'secureConnect', events),
    (reason) => {
      if (!isCancelled) events.lost(new Error(reason));
    },
  );
  return () => {
    isCancelled = true;
    end();
  };
}

/** Connects by a stream. `openedOn` is the event after which messages can be sent. */
function openStream(makeSocket: () => Socket, openedOn: string, events: LinkEvents): () => void {
  try {
    return followStream(makeSocket(), openedOn, events);
  } catch (error) {
    // A file with certificates cannot be read or used. The next attempt reads the file again.
    let isOver = false;
    setImmediate(() => {
      if (!isOver) events.lost(error as NodeJS.ErrnoException);
    });
    return () => {
      isOver = true;
    };
  }
}

function followStream(socket: Socket, openedOn: string, events: LinkEvents): () => void {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEPALIVE_MS);
  let failure: NodeJS.ErrnoException | null = null;
  let isOver = false;
  const link: Link = {
    send: (messages, sent) => {
      const batch = messages.slice(0, countThatFit(messages));
      const parts = batch.flatMap((message) => [Buffer.from(`${message.length} `), message]);
      socket.write(Buffer.concat(parts), (error) => {
        if (!error && !isOver) sent(batch.length);
      });
    },
    close: (closed = () => undefined) => {
      isOver = true;
      socket.once('close', closed);
      // The kernel still delivers the bytes that it has taken. Over TLS, the server also gets the end of the stream.
      if (!(socket instanceof TLSSocket)) {
        socket.destroy();
        return;
      }
      socket.setTimeout(CLOSE_MS, () => socket.destroy());
      socket.end(() => socket.destroy());
    },
  };
  socket.on(openedOn, () => {
    if (!isOver) events.opened(link);
  });
  let receivedBytes = 0;
  // Only reading shows that the server has closed the connection.
  socket.on('data', (bytes) => {
    receivedBytes += bytes.length;
    if (receivedBytes > MAX_RECEIVED_BYTES) socket.destroy(new Error('it sends data, which a log server never does'));
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    failure = explainTls(firstOf(error));
  });
  socket.on('close', () => {
    if (isOver) return;
    isOver = true;
    events.lost(failure);
  });
  return () => {
    isOver = true;
    socket.destroy();
  };
}

/** Returns the number of messages for one write, at least one. A large write would show no progress until its end. */
function countThatFit(messages: readonly Buffer[]): number {
  let bytes = 0;
  const beyond = messages.findIndex((message) => (bytes += message.length) > BATCH_BYTES);
  return beyond === -1 ? messages.length : Math.max(1, beyond);
}

/** Returns the first refusal if several addresses refused the connection. */
function firstOf(error: NodeJS.ErrnoException): NodeJS.ErrnoException {
  return error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException) : error;
}

function openDatagrams(host: string, port: number, attempt: number, events: LinkEvents): () => void {
  let isOver = false;
  let close = (): void => undefined;
  const end = (closed?: () => void): void => {
    if (isOver) return;
    isOver = true;
    close();
    closed?.();
  };
  const lose = (error: NodeJS.ErrnoException): void => {
    if (isOver) return;
    end();
    events.lost(error);
  };
  lookUpInTurn(host, { all: true, order: 'ipv4first' }, (error, found) => {
    if (isOver) return;
    const addresses = found as LookupAddress[];
    // A server may listen at only one of its addresses, and UDP does not tell which. Each attempt takes the next one.
    const address = error === null ? addresses[attempt % addresses.length] : undefined;
    if (address === undefined) {
      lose(error ?? new Error('its name has no address'));
      return;
    }
    const socket = createSocket(address.family === 6 ? 'udp6' : 'udp4');
    close = () => socket.close();
    socket.on('error', lose);
    socket.on('connect', () => {
      if (!isOver) events.opened({ send, close: end });
    });
    socket.connect(port, address.address);
    const send = (messages: readonly Buffer[], sent: (count: number) => void, from = 0): void => {
      socket.send(messages[from] as Buffer, (failure) => {
        if (isOver) return;
        if (failure !== null) lose(failure);
        else if (from + 1 < Math.min(messages.length, BURST)) send(messages, sent, from + 1);
        else setImmediate(() => (isOver ? undefined : sent(from + 1)));
      });
    };
  });
  return () => end();
}

type Found = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void;

let lastLookup: Promise<void> = Promise.resolve();

/**
 * Calls dns.lookup, for one name at a time. A lookup occupies a thread of the pool until the name server answers, and
 * the log files need the other threads. An address needs no name server and does not wait.
 */
function lookUpInTurn(host: string, options: LookupOptions, done: Found): void {
  const look = (): Promise<void> =>
    new Promise((resolve) => {
      lookup(host, options, (error, address, family) => {
        resolve();
        done(error, address, family);
      });
    });
  if (isIP(host) !== 0) void look();
  else lastLookup = lastLookup.then(look);
}
