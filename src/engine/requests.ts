/** The requests to the engine as inputs of the process machine. Pure. */
import type { ProcessConfig } from '../config/model.ts';
import type { Cause } from '../core/cause.ts';
import type { ProcessInput } from '../core/process-record.ts';
import { formatSocketAddress } from '../core/socket-address.ts';
import type { ProcessView } from './process-table.ts';

/** A request: a start, an orderly stop, SIGKILL, or a wait for the first connection (`listen_lazy`). */
export type RequestType = 'start' | 'stop' | 'kill' | 'awaitConnection';

/** Returns the request that brings up a program with autostart: a lazy program first waits for a connection. */
export function firstRequestOf({ options }: ProcessConfig): RequestType {
  return options.listen_lazy ? 'awaitConnection' : 'start';
}

/** Makes the input of a request to a process. */
export function requestInput({ config }: ProcessView, type: RequestType, cause: Cause, atMs: number): ProcessInput {
  if (type !== 'awaitConnection') return { type, atMs, cause };
  const addresses = config.options.listen.map(({ address }) => formatSocketAddress(address));
  return { type, atMs, cause, addresses };
}

/** Makes the input that brings up a process with autostart. */
export function firstRequest(view: ProcessView | undefined, cause: Cause, atMs: number): ProcessInput {
  return view === undefined
    ? { type: 'start', atMs, cause }
    : requestInput(view, firstRequestOf(view.config), cause, atMs);
}
