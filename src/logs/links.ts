/**
 * Connections to a log server: over UDP a datagram for each message, over TCP each message with its length before it
 * (RFC 6587). A connection sends what it is given or is lost; what is kept, and when to try again, is the outlet's.
 */
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns';
import type { LookupAddress, LookupOptions } from 'node:dns';
import { connect as connectTcp, isIP } from 'node:net';
import type { LogServer } from '../core/log-server.ts';

/** One connection, for as long as it is open. */
export interface Link {
  /**
   * Sends messages in their order, or some from their beginning; `sent` tells how many it has taken. It is not called
   * before this returned, and never after a loss.
   */
  send(messages: readonly Buffer[], sent: (count: number) => void): void;
  /** Ends it; what was taken still goes out. No event comes any more. */
  close(): void;
}

/** What is heard of a connection: `lost` may come without `opened`, and comes once at most. */
export interface LinkEvents {
  opened(link: Link): void;
  /** Null: the other side ended it in order. */
  lost(error: NodeJS.ErrnoException | null): void;
}

/**
 * Begins a connection; `attempt` counts them from 0. No event comes before this returned. The function returned calls
 * it off.
 */
export type Connect = (attempt: number, events: LinkEvents) => () => void;

/** Most bytes of one message: a datagram that most receivers take whole, and what they take from a stream at most. */
export const LONGEST_MESSAGE: Readonly<Record<LogServer['protocol'], number>> = { udp: 8 * 1024, tcp: 64 * 1024 };

/** Datagrams that are sent in one go; others get their turn then. */
const BURST = 256;

/** Most bytes of messages in one write over TCP. */
const BATCH_BYTES = 64 * 1024;

const KEEPALIVE_MS = 60_000;
/**
 * A log server has nothing to say. One that sends more than this is dropped: reading a flood only to throw it away
 * would keep us busy for ever.
 */
const MOST_RECEIVED_BYTES = 64 * 1024;

/** How to connect to a server. */
export function connectTo({ protocol, host, port }: LogServer): Connect {
  return protocol === 'tcp'
    ? (_attempt, events) => openStream(host, port, events)
    : (attempt, events) => openDatagrams(host, port, attempt, events);
}

function openStream(host: string, port: number, events: LinkEvents): () => void {
  const socket = connectTcp({
    host,
    port,
    lookup: lookUpInTurn,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEPALIVE_MS,
  });
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
    close: () => {
      isOver = true;
      // What the kernel has taken it still delivers.
      socket.destroy();
    },
  };
  socket.on('connect', () => {
    if (!isOver) events.opened(link);
  });
  let receivedBytes = 0;
  // That the server has ended is only seen by reading.
  socket.on('data', (bytes) => {
    receivedBytes += bytes.length;
    if (receivedBytes > MOST_RECEIVED_BYTES) socket.destroy(new Error('it sends data, as no log server does'));
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    failure = firstOf(error);
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

/** Returns the number of messages for one write, at least one: the progress of a write shows at its end only. */
function countThatFit(messages: readonly Buffer[]): number {
  let bytes = 0;
  const beyond = messages.findIndex((message) => (bytes += message.length) > BATCH_BYTES);
  return beyond === -1 ? messages.length : Math.max(1, beyond);
}

/** Where each of several addresses was refused, the first refusal stands for all. */
function firstOf(error: NodeJS.ErrnoException): NodeJS.ErrnoException {
  return error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException) : error;
}

function openDatagrams(host: string, port: number, attempt: number, events: LinkEvents): () => void {
  let isOver = false;
  let close = (): void => undefined;
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    close();
  };
  const lose = (error: NodeJS.ErrnoException): void => {
    if (isOver) return;
    end();
    events.lost(error);
  };
  lookUpInTurn(host, { all: true, order: 'ipv4first' }, (error, found) => {
    if (isOver) return;
    const addresses = found as LookupAddress[];
    // A server may listen at one of its addresses only, and nothing tells which: each attempt takes the next.
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
  return end;
}

type Found = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void;

let lastLookup: Promise<void> = Promise.resolve();

/**
 * dns.lookup, one at a time: it takes a thread of the pool for as long as a name server is silent, and the other
 * threads are needed for the log files. An address is no name and waits for nobody.
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
