/** The rows for groups, for the number of processes, for the update, and for the end of the supervisor. */
import { faults, RpcFault } from '../core/faults.ts';
import { type Ask, faultOf, restart, start, stop } from './actions.ts';
import { changeSchema, pendingSchema } from './answer-schemas.ts';
import { beginChange, targetsOf } from './change-rows.ts';
import { oneGroup, unknownName } from './names.ts';
import { NAME_LENGTH } from './read-rows.ts';
import { type ApiCall, type ApiRow, defineRow } from './row.ts';
import { integer, list, maybe, object, text, truth } from './schema.ts';
import type { ChangeAnswer, PendingAnswer, ScaleBody, UpdateBody } from './types.ts';
import { applyUpdate, chooseGroups, planUpdate, reread } from './update.ts';

/** Largest number of processes of a program, as `scale` of supervisorctl. */
const MAX_PROCESSES = 99_999;

const actions = { start, stop, restart } as const;

function groupRow(action: keyof typeof actions): ApiRow {
  return defineRow<object, null, ChangeAnswer>({
    method: 'POST',
    path: `/groups/{group}/${action}`,
    role: 'admin',
    summary: `${action.charAt(0).toUpperCase()}${action.slice(1)} all processes of a group`,
    status: 202,
    answer: changeSchema,
    run: (call) => {
      const { context, path } = call;
      const group = oneGroup(context.api, path['group'] ?? '');
      const targets = targetsOf(call, [`${group}:*`]);
      return beginChange(call, { action, names: [`${group}:*`] }, (begun) => actions[action](begun, targets));
    },
  });
}

/** Words for the faults of `add` and `remove`. */
const GROUP_FAULTS: ReadonlyMap<number, (name: string) => string> = new Map<number, (name: string) => string>([
  [faults.ALREADY_ADDED, () => 'ERROR: process group already active'],
  [faults.STILL_RUNNING, (name) => `ERROR: process/group still running: ${name}`],
  [faults.BAD_NAME, (name) => `ERROR: no such process/group: ${name}`],
]);

function activationRow(action: 'add' | 'remove', method: string): ApiRow {
  return defineRow<object, null, ChangeAnswer>({
    method: 'POST',
    path: `/groups/{group}/${action}`,
    role: 'admin',
    summary:
      action === 'add'
        ? 'Activate a group of the latest configuration'
        : 'Deactivate a group whose processes are stopped',
    status: 202,
    answer: changeSchema,
    run: (call) => {
      const { api } = call.context;
      const { group: name = '' } = call.path;
      const known = new Set(api.configuredGroups().map((group) => group.name));
      if (action === 'add' && !known.has(name) && !api.hasGroup(name)) throw unknownName('group', name, known);
      if (action === 'remove') oneGroup(api, name);
      return beginChange(call, { action, names: [name] }, async ({ ask, note }) => {
        const fault = await faultOf(ask(method, name));
        const done = action === 'add' ? `${name}: added process group` : `${name}: removed process group`;
        const words =
          fault === null ? done : (GROUP_FAULTS.get(fault.code)?.(name) ?? `${name}: ERROR (${textOf(fault)})`);
        note({ name, ok: fault === null || fault.code === faults.ALREADY_ADDED, text: words });
      });
    },
  });
}

function textOf({ reason, faultString }: RpcFault): string {
  return reason ?? faultString.replace(/^FAILED: /, '');
}

async function update(call: ApiCall<object, UpdateBody>): Promise<ChangeAnswer | PendingAnswer> {
  const { groups = [], dry_run: isDryRun = false } = call.body;
  if (isDryRun) return planUpdate(call, groups);
  const changes = chooseGroups(call, await reread(call.ask), groups);
  return beginChange(call, { action: 'update', names: groups }, (begun) =>
    applyUpdate(begun, changes, groups.length === 0),
  );
}

async function scale({ ask }: { readonly ask: Ask }, program: string, count: number): Promise<readonly string[]> {
  const scaled = (await ask('onevisor.scaleProgram', program, count)) as unknown as {
    readonly from: number;
    readonly started: readonly string[];
    readonly stopped: readonly string[];
  };
  const { from, started, stopped } = scaled;
  const sum = from === count ? `has ${count} processes already` : `scaled from ${from} to ${count}`;
  return [
    ...stopped.map((name) => `${name}: stopped`),
    ...started.map((name) => `${name}: added`),
    `${program}: ${sum}`,
  ];
}

/** Shuts down. During a shutdown: ends its delay, or else kills the remaining processes, as supervisorctl does. */
async function shutDown(ask: Ask, isEnding: boolean): Promise<string> {
  if (!isEnding) {
    await ask('supervisor.shutdown');
    return 'Shut down';
  }
  if ((await ask('onevisor.endShutdownDelay')) === true) return 'Ending shutdown_delay: stopping the processes now';
  const isKilling = (await ask('onevisor.shutdownAgain')) === true;
  return isKilling ? 'Killing the remaining processes' : 'ERROR: already shutting down';
}

/** The rows. */
export const groupRows: readonly ApiRow[] = [
  groupRow('start'),
  groupRow('stop'),
  groupRow('restart'),
  activationRow('add', 'supervisor.addProcessGroup'),
  activationRow('remove', 'supervisor.removeProcessGroup'),
  defineRow<object, null, ChangeAnswer>({
    method: 'POST',
    path: '/groups/{group}/update',
    role: 'admin',
    summary: 'Read the configuration again, and apply it to a group',
    status: 202,
    answer: changeSchema,
    run: async (call) => {
      const names = [call.path['group'] ?? ''];
      const changes = chooseGroups(call, await reread(call.ask), names);
      return beginChange(call, { action: 'update', names }, (begun) => applyUpdate(begun, changes, false));
    },
  }),
  defineRow<object, ScaleBody, ChangeAnswer>({
    method: 'POST',
    path: '/programs/{program}/scale',
    role: 'admin',
    summary: 'Give a program another number of processes, until numprocs changes in the configuration',
    body: object<ScaleBody>({ count: integer({ min: 1, max: MAX_PROCESSES }) }),
    status: 202,
    answer: changeSchema,
    run: (call) => {
      const { program: name = '' } = call.path;
      const { count } = call.body;
      const { api } = call.context;
      const isProgram = api.processesNamed(name).some(({ config }) => config.program === name);
      if (!isProgram) throw unknownName('program', name, new Set(api.processes().map(({ config }) => config.program)));
      return beginChange(call, { action: 'scale', names: [name] }, async ({ ask, note }) => {
        try {
          for (const line of await scale({ ask }, name, count)) note({ name, ok: true, text: line });
        } catch (error) {
          if (!(error instanceof RpcFault)) throw error;
          note({ name, ok: false, text: `${name}: ERROR (${textOf(error)})` });
        }
      });
    },
  }),
  defineRow<object, null, PendingAnswer>({
    method: 'GET',
    path: '/config/pending',
    role: 'read',
    summary: 'What an update would do, as onevisor update --dry-run; reads the files again, and applies nothing',
    answer: pendingSchema,
    run: (call) => call.context.pending.ask(() => planUpdate(call, []), call.exchange.signal),
  }),
  defineRow<object, UpdateBody, ChangeAnswer | PendingAnswer>({
    method: 'POST',
    path: '/config/update',
    role: 'admin',
    summary: 'Read the configuration again, and apply it to all groups or to some; a dry run answers 200',
    body: object<UpdateBody>({
      groups: maybe(list(text({ min: 1, max: NAME_LENGTH }))),
      dry_run: maybe(truth('True to change nothing')),
    }),
    status: ({ dry_run: isDryRun }) => (isDryRun === true ? 200 : 202),
    answer: changeSchema,
    otherAnswer: pendingSchema,
    run: update,
  }),
  defineRow<object, null, ChangeAnswer>({
    method: 'POST',
    path: '/supervisor/reload',
    role: 'admin',
    summary: 'Stop all processes, read the configuration again, and start again',
    status: 202,
    answer: changeSchema,
    run: async (call) => {
      // An invalid configuration is the error of this request, and changes nothing.
      await call.ask('supervisor.restart');
      const { changes } = call.context;
      return changes.begin(
        { action: 'reload', names: [], client: call.exchange.client(), isUrgent: true },
        async (note) => note({ name: 'supervisor', ok: true, text: 'Restarted supervisord' }),
      );
    },
  }),
  defineRow<object, null, ChangeAnswer>({
    method: 'POST',
    path: '/supervisor/shutdown',
    role: 'admin',
    summary: 'Stop all processes and exit; during a shutdown: end its delay, or else kill the remaining processes',
    status: 202,
    answer: changeSchema,
    run: async (call) => {
      const { api, changes } = call.context;
      const words = await shutDown(call.ask, api.state() !== 'RUNNING');
      return changes.begin(
        { action: 'shutdown', names: [], client: call.exchange.client(), isUrgent: true },
        async (note) => note({ name: 'supervisor', ok: !words.startsWith('ERROR'), text: words }),
      );
    },
  }),
];
