/** The rows that start, stop and restart processes, and the rows about changes. */
import { faults, RpcFault } from '../core/faults.ts';
import { showText } from '../core/shown-text.ts';
import { parseSignal } from '../core/signals.ts';
import {
  type ActionContext,
  askFor,
  clearLogs,
  faultOf,
  reload,
  restart,
  signal,
  start,
  stop,
  type Targets,
} from './actions.ts';
import { changeSchema, changesSchema } from './answer-schemas.ts';
import { ApiError, errorOfFault } from './api-error.ts';
import { chooseProcesses, displayNameOf, oneProcess } from './names.ts';
import { NAME_LENGTH } from './read-rows.ts';
import { restartInTurn } from './rolling.ts';
import { type ApiCall, type ApiRow, defineRow } from './row.ts';
import { either, integer, list, maybe, object, text, truth } from './schema.ts';
import type { ChangeAnswer, ChangesAnswer, NamesBody, SignalBody, StdinBody } from './types.ts';

/** Maximum time of a wait for a change in seconds, and the time without the parameter. */
const MAX_WAIT_S = 60;
const DEFAULT_WAIT_S = 30;

/** A change of a request. */
interface Wanted {
  readonly action: string;
  readonly names: readonly string[];
}

/** Begins a change for the client of a call. Throws a 503 while the supervisor shuts down. */
export function beginChange(
  { context, exchange }: Pick<ApiCall<never, never>, 'context' | 'exchange'>,
  { action, names }: Wanted,
  run: (action: ActionContext) => Promise<void>,
): ChangeAnswer {
  const { api, changes } = context;
  if (api.state() !== 'RUNNING' && !(action === 'shutdown' && api.isDelayed()))
    throw errorOfFault(RpcFault.of('SHUTDOWN_STATE'));
  const client = exchange.client();
  return changes.begin({ action, names, client }, (note) =>
    run({ api, ask: askFor(context, client, exchange.role), note }),
  );
}

/** Returns the processes that names mean. Throws a 404. */
export function targetsOf(
  { context: { api } }: Pick<ApiCall<never, never>, 'context'>,
  names: readonly string[],
): Targets {
  return { processes: chooseProcesses(api, names), isAll: names.includes('*') };
}

const namesList = list(text({ min: 1, max: NAME_LENGTH }), {
  min: 1,
  help: 'web, pool:pool_00, pool:*, a pattern with * and ?, or * for all',
});

const actions = { start, stop, restart, reload, 'clear-logs': clearLogs } as const;

/** Names of these actions. */
type ActionName = keyof typeof actions;

const SUMMARIES: Readonly<Record<ActionName, string>> = {
  start: 'Start a process',
  stop: 'Stop a process',
  restart: 'Restart a process',
  reload: 'Ask a program to read its own configuration again',
  'clear-logs': 'Empty the logs of a process',
};

function manyRow(action: 'start' | 'stop'): ApiRow {
  return defineRow<object, { readonly names: readonly string[] }, ChangeAnswer>({
    method: 'POST',
    path: `/${action}`,
    role: 'admin',
    summary: SUMMARIES[action].replace('a process', 'processes'),
    body: object<{ readonly names: readonly string[] }>({ names: namesList }),
    status: 202,
    answer: changeSchema,
    run: (call) => {
      const { names } = call.body;
      const targets = targetsOf(call, names);
      return beginChange(call, { action, names }, (context) => actions[action](context, targets));
    },
  });
}

const restartMany = defineRow<object, NamesBody, ChangeAnswer>({
  method: 'POST',
  path: '/restart',
  role: 'admin',
  summary: 'Restart processes, all at once or one after the other',
  body: object<NamesBody>({
    names: namesList,
    rolling: maybe(truth('One after the other; each must be up, and healthy if it has a check')),
  }),
  status: 202,
  answer: changeSchema,
  run: (call) => {
    const { names, rolling } = call.body;
    const targets = targetsOf(call, names);
    const action = rolling === true ? restartInTurn : restart;
    return beginChange(call, { action: 'restart', names }, (context) => action(context, targets));
  },
});

function oneRow(action: ActionName): ApiRow {
  return defineRow<object, null, ChangeAnswer>({
    method: 'POST',
    path: `/processes/{name}/${action}`,
    role: 'admin',
    summary: `${SUMMARIES[action]}, or those that a pattern matches`,
    status: 202,
    answer: changeSchema,
    run: (call) => {
      const { name = '' } = call.path;
      const targets = targetsOf(call, [name]);
      return beginChange(call, { action, names: [name] }, (context) => actions[action](context, targets));
    },
  });
}

function noChange(id: string | undefined): ApiError {
  return new ApiError(
    404,
    'bad_change',
    `there is no change ${JSON.stringify((id ?? '').slice(0, 60))}; GET /changes lists them`,
  );
}

/** Longest text for the standard input of a process, and the limit of its body, where each byte may be an escape. */
const STDIN_LENGTH = 64 * 1024;
const STDIN_BODY_BYTES = 512 * 1024;

const signalRow = defineRow<object, SignalBody, ChangeAnswer>({
  method: 'POST',
  path: '/processes/{name}/signal',
  role: 'admin',
  summary: 'Send a signal to a process, or to those that a pattern matches',
  body: object<SignalBody>({
    signal: either<string | number>([text({ min: 1, max: 20, help: 'HUP, SIGHUP' }), integer({ min: 0, max: 64 })]),
  }),
  status: 202,
  answer: changeSchema,
  run: (call) => {
    const { name = '' } = call.path;
    const wanted = String(call.body.signal);
    if (wanted !== '0' && parseSignal(wanted) === null)
      throw new ApiError(400, 'bad_signal', `there is no signal ${showText(wanted, 20)}; use HUP, USR1, …`);
    const targets = targetsOf(call, [name]);
    return beginChange(call, { action: 'signal', names: [name] }, (context) => signal(context, targets, wanted));
  },
});

const stdinRow = defineRow<object, StdinBody, ChangeAnswer>({
  method: 'POST',
  path: '/processes/{name}/stdin',
  role: 'admin',
  summary: 'Write to the standard input of a process, all of the text or nothing',
  body: object<StdinBody>({ text: text({ max: STDIN_LENGTH }) }),
  maxBodyBytes: STDIN_BODY_BYTES,
  status: 202,
  answer: changeSchema,
  run: (call) => {
    const proc = oneProcess(call.context.api, call.path['name'] ?? '');
    const name = displayNameOf(proc);
    return beginChange(call, { action: 'stdin', names: [name] }, async ({ ask, note }) => {
      const fault = await faultOf(ask('supervisor.sendProcessStdin', proc.id, call.body.text));
      const words = fault === null ? 'written' : `ERROR (${STDIN_FAULTS[fault.code] ?? errorOfFault(fault).message})`;
      note({ name, ok: fault === null, text: `${name}: ${words}` });
    });
  },
});

const STDIN_FAULTS: Readonly<Record<number, string>> = {
  [faults.NOT_RUNNING]: 'not running',
  [faults.NO_FILE]: 'it has closed its standard input',
};

/** The rows. */
export const changeRows: readonly ApiRow[] = [
  oneRow('start'),
  oneRow('stop'),
  oneRow('restart'),
  oneRow('reload'),
  oneRow('clear-logs'),
  signalRow,
  stdinRow,
  manyRow('start'),
  manyRow('stop'),
  restartMany,
  defineRow<object, null, ChangesAnswer>({
    method: 'GET',
    path: '/changes',
    role: 'read',
    summary: 'Latest changes, the latest last',
    answer: changesSchema,
    run: ({ context: { changes } }) => ({ changes: changes.list() }),
  }),
  defineRow<object, null, ChangeAnswer>({
    method: 'GET',
    path: '/changes/{id}',
    role: 'read',
    summary: 'A change',
    answer: changeSchema,
    run: ({ context: { changes }, path: { id = '' } }) => {
      const change = changes.get(id);
      if (change === null) throw noChange(id);
      return change;
    },
  }),
  defineRow<{ readonly timeout?: number }, null, ChangeAnswer>({
    method: 'GET',
    path: '/changes/{id}/wait',
    role: 'read',
    summary: 'A change, after it has ended or the time is over',
    query: {
      timeout: maybe(integer({ min: 0, max: MAX_WAIT_S, standard: DEFAULT_WAIT_S, help: 'Seconds' })),
    },
    answer: changeSchema,
    run: async ({ context: { changes }, exchange, path: { id = '' }, query: { timeout = DEFAULT_WAIT_S } }) => {
      const change = await changes.wait(id, timeout * 1000, exchange.signal);
      if (change === null) throw noChange(id);
      return change;
    },
  }),
];
