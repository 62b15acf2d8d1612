/** A client of `GET /api/v1/stream` for tests: reads messages, and can cut its connection anywhere. */
import { request, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { TestContext } from 'node:test';

/** One message. */
export interface StreamMessage {
  readonly event: string;
  readonly id: string | null;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests check the members
  readonly data: any;
}

/** Where a server is. */
export type Address = { readonly port: number } | { readonly socketPath: string };

/** Options of a connection. */
export interface OpenOptions {
  readonly lastEventId?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called with each whole message. */
  readonly onMessage?: (message: StreamMessage) => void;
}

/** An open connection. */
export interface EventStream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly messages: StreamMessage[];
  /** Id of the last whole message that has one. */
  readonly lastId: () => string | null;
  /** Resolves with the first message, old or new, that fits. Rejects when the connection ends before. */
  readonly waitFor: (fits: (message: StreamMessage) => boolean) => Promise<StreamMessage>;
  readonly response: IncomingMessage;
  /** Resolves when the connection has ended. */
  readonly ended: Promise<void>;
  readonly close: () => void;
}

/** Parses one message; null for a comment. */
export function parseMessage(text: string): StreamMessage | null {
  const fields = new Map(
    text.split('\n').map((line): [string, string] => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
  const event = fields.get('event');
  return event === undefined
    ? null
    : { event, id: fields.get('id') ?? null, data: JSON.parse(fields.get('data') ?? 'null') as unknown };
}

/** Connects. Resolves when the headers have come. */
export function openStream(
  t: Pick<TestContext, 'after'> | null,
  address: Address,
  query: string,
  { lastEventId = null, headers = {}, onMessage }: OpenOptions = {},
): Promise<EventStream> {
  const messages: StreamMessage[] = [];
  const waiters = new Set<() => void>();
  let lastId: string | null = null;
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = request({
      ...address,
      host: '127.0.0.1',
      path: `/api/v1/stream?${query}`,
      agent: false,
      headers: { ...headers, ...(lastEventId === null ? {} : { 'Last-Event-ID': lastEventId }) },
    });
    t?.after(() => sent.destroy());
    sent.on('error', reject);
    sent.on('response', (response) => {
      let hasEnded = false;
      const ended = new Promise<void>((done) => {
        response.on('close', () => {
          hasEnded = true;
          for (const look of waiters) look();
          done();
        });
      });
      response.on('error', () => undefined);
      sent.on('error', () => undefined);
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        const parts = text.split('\n\n');
        text = parts.pop() ?? '';
        for (const whole of parts) {
          const message = parseMessage(whole);
          if (message === null || sent.destroyed) continue;
          messages.push(message);
          lastId = message.id ?? lastId;
          onMessage?.(message);
        }
        for (const look of waiters) look();
      });
      const waitFor = (fits: (message: StreamMessage) => boolean): Promise<StreamMessage> =>
        new Promise((found, failed) => {
          let from = 0;
          const look = (): void => {
            for (; from < messages.length; from++) {
              const message = messages[from] as StreamMessage;
              if (!fits(message)) continue;
              waiters.delete(look);
              return found(message);
            }
            if (hasEnded) failed(new Error('the stream ended before the message'));
          };
          waiters.add(look);
          look();
        });
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        messages,
        lastId: () => lastId,
        waitFor,
        response,
        ended,
        close: () => void sent.destroy(),
      });
    });
    sent.end();
  });
}
