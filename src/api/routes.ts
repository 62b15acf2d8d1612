/**
 * The routes of the JSON API. Everything else of the API is loaded at its first request, so that the start of a
 * supervisor does not pay for it.
 */
import type { Exchange, Route } from '../http/route.ts';
import type { Changes } from './changes.ts';
import type { ApiDispatcher } from './dispatch.ts';
import type { ApiRow, ApiSources } from './row.ts';

/** Pause after an answer about the next update, as a multiple of its time: all clients together take a fifth of it. */
const PENDING_PAUSE = 4;

/** Loads further rows of the table at the first request. */
export type MoreRows = () => Promise<readonly ApiRow[]>;

/** The part of the API that stays when routes are made again: the changes. */
export class ApiState {
  #changes: Changes | null = null;

  /** Returns the changes; makes them at the first call. */
  changes(make: () => Changes): Changes {
    this.#changes ??= make();
    return this.#changes;
  }
}

/** Makes the routes of the API. The dispatcher checks the role of each row. */
export function createApiRoutes(sources: ApiSources, state: ApiState, moreRows: readonly MoreRows[] = []): Route[] {
  let loading: Promise<ApiDispatcher> | null = null;
  const answer = async (exchange: Exchange): Promise<void> => {
    loading ??= load(sources, state, moreRows);
    await (await loading).answer(exchange);
  };
  return [
    { method: 'GET', path: '/api/v1', access: 'metrics', answer },
    { method: 'POST', path: '/api/v1', access: 'metrics', answer },
  ];
}

async function load(sources: ApiSources, state: ApiState, moreRows: readonly MoreRows[]): Promise<ApiDispatcher> {
  const { ApiDispatcher: Dispatcher } = await import('./dispatch.ts');
  const { createTable } = await import('./table.ts');
  const { Changes: List } = await import('./changes.ts');
  const { SharedAnswer } = await import('../http/shared-answer.ts');
  const more = await Promise.all(moreRows.map((rows) => rows()));
  const { api } = sources;
  const changes = state.changes(
    () =>
      new List({
        epoch: api.epoch,
        wallMs: () => api.wallMs(),
        report: (level, line) => api.report(level, line),
      }),
  );
  return new Dispatcher(createTable(more.flat()), { ...sources, changes, pending: new SharedAnswer(PENDING_PAUSE) });
}
