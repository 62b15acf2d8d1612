/** The answers of the live views. Their code is loaded at the first request. */
import type { Exchange } from '../http/route.ts';
import type { LiveService } from './service.ts';
import type { LiveServiceParts } from './service-parts.ts';

/** The live views of one supervisor, which outlive its reloads. The table of the API has their routes. */
export class LiveViews {
  readonly #parts: LiveServiceParts;
  #service: Promise<LiveService> | null = null;

  constructor(parts: LiveServiceParts) {
    this.#parts = parts;
  }

  /** `GET /stream`. */
  async stream(exchange: Exchange): Promise<void> {
    (await this.#load()).stream(exchange);
  }

  /** `GET /logs?follow=true`. */
  async follow(exchange: Exchange): Promise<void> {
    await (await this.#load()).follow(exchange);
  }

  /** `GET /logs/files`. */
  async files(exchange: Exchange): Promise<void> {
    await (await this.#load()).files(exchange);
  }

  /** `GET /logs/download`. */
  async download(exchange: Exchange): Promise<void> {
    await (await this.#load()).download(exchange);
  }

  /** `GET /usage/history`. */
  async usageHistory(names: readonly string[]): Promise<ReturnType<LiveService['usageHistory']>> {
    return (await this.#load()).usageHistory(names);
  }

  /**
   * Sets the time for which the usage of the programs is kept. 0: only samples that a client has asked for. Otherwise
   * it is measured every 10 seconds from now on.
   */
  async configureHistory(historyMs: number): Promise<void> {
    if (historyMs > 0 || this.#service !== null) (await this.#load()).configureHistory(historyMs);
  }

  #load(): Promise<LiveService> {
    this.#service ??= import('./service.ts').then(({ LiveService: Service }) => new Service(this.#parts));
    return this.#service;
  }
}
