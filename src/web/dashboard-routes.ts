/** Delivers the dashboard. */
import { gunzipSync } from 'node:zlib';
import { sendText } from '../http/answers.ts';
import type { Exchange } from '../http/route.ts';
import { takesGzip } from '../core/accepts-gzip.ts';
import type { Dashboard } from './dashboard-asset.ts';

const HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-cache',
  Vary: 'Accept, Accept-Encoding',
} as const;

/** Sends the page. The asset is read at the first request. */
export class DashboardPages {
  readonly #read: () => Promise<Dashboard>;
  #dashboard: Promise<Dashboard> | null = null;

  constructor(read: () => Promise<Dashboard>) {
    this.#read = read;
  }

  /** Sends the page. */
  async sendPage(exchange: Exchange): Promise<void> {
    this.#dashboard ??= this.#read();
    const { page, policy } = await this.#dashboard;
    const isCompressed = takesGzip(exchange.request.headers['accept-encoding']);
    const text = Buffer.from(isCompressed ? page : gunzipSync(page));
    sendText(
      exchange,
      200,
      { type: 'text/html;charset=utf-8', text },
      {
        ...HEADERS,
        'Content-Security-Policy': policy,
        ...(isCompressed ? { 'Content-Encoding': 'gzip' } : {}),
      },
    );
  }
}
