/**
 * The update to the latest configuration, in the order and with the words of `onevisor update`, and its dry run.
 */
import { faults, RpcFault } from '../core/faults.ts';
import {
  formatGroupPlans,
  formatNotifications,
  formatSettings,
  type NamedChanges,
  type PlannedGroup,
  updateSteps,
} from '../core/update-text.ts';
import { isStruct, type XmlRpcValue } from '../rpc/xmlrpc.ts';
import type { ActionContext, Ask } from './actions.ts';
import { unknownName } from './names.ts';
import type { ApiCall } from './row.ts';
import type { PendingAnswer } from './types.ts';

/** A call, as these functions need it. */
type Call = Pick<ApiCall<never, never>, 'context' | 'ask'>;

/** Makes the supervisor read its files. Resolves with the differences; rejects with CANT_REREAD. */
export async function reread(ask: Ask): Promise<NamedChanges> {
  const [lists] = (await ask('supervisor.reloadConfig')) as unknown as readonly [ReadonlyArray<readonly string[]>];
  const [added = [], changed = [], removed = []] = lists;
  return { added, changed, removed };
}

/** Leaves the changes of some groups; all of them if there are none. Throws a 404 for an unknown group. */
export function chooseGroups(
  { context: { api } }: Call,
  changes: NamedChanges,
  groups: readonly string[],
): NamedChanges {
  const known = new Set([...api.processes().map(({ config }) => config.group), ...changes.added]);
  const unknown = groups.find((name) => !known.has(name));
  if (unknown !== undefined) throw unknownName('group', unknown, known);
  const isChosen = (name: string): boolean => groups.length === 0 || groups.includes(name);
  return {
    added: changes.added.filter(isChosen),
    changed: changes.changed.filter(isChosen),
    removed: changes.removed.filter(isChosen),
  };
}

/**
 * Makes the answer of a dry run for the groups; for everything without groups. Reads the files, but not as `reread`
 * does, which changes what the next update takes: clients may ask for this that may change nothing.
 */
export function planUpdate(call: Call, groups: readonly string[]): Promise<PendingAnswer> {
  const { api } = call.context;
  return api.previewUpdate((read) => {
    if (read.kind === 'invalid') throw RpcFault.of('CANT_REREAD', read.reason);
    const { added, changed, removed } = chooseGroups(call, read, groups);
    const plans = new Map(changed.map((name) => [name, api.planUpdate(name)]));
    const isWhole = groups.length === 0;
    const { live, pending } = isWhole ? api.updateSettings(false) : { live: [], pending: [] };
    const notifications = isWhole ? api.notifications.plan() : { added: [], changed: [], removed: [] };
    const shown = new Map([...plans].map(([name, plan]): [string, PlannedGroup] => [name, plan ?? 'whole']));
    return {
      added,
      changed,
      removed,
      plans: Object.fromEntries(plans),
      settings: { live, pending },
      notifications,
      text: [
        ...formatSettings({ live, pending }, true),
        ...formatGroupPlans({ added, changed, removed }, shown),
        ...formatNotifications(notifications, true),
      ],
    };
  });
}

/** Applies changes. `isWhole`: also the settings of the supervisor and the sections `[notify:x]`. */
export async function applyUpdate(context: ActionContext, changes: NamedChanges, isWhole: boolean): Promise<void> {
  const { ask, note } = context;
  const tell = (name: string, text: string, ok = true): void => note({ name, ok, text });
  // Programs that are restarted get the new settings.
  if (isWhole) {
    const settings = await ask('onevisor.updateSettings', true);
    for (const text of formatSettings(namesIn(settings, ['live', 'pending']), false)) tell('supervisord', text);
  }
  for (const name of changes.removed) await removeGroup(context, name);
  for (const name of changes.changed) await refusable(context, name, () => updateGroup(context, name));
  for (const name of changes.added)
    await refusable(context, name, async () => {
      await ask('supervisor.addProcessGroup', name);
      tell(name, updateSteps.added(name));
    });
  if (isWhole) {
    const applied = namesIn(await ask('onevisor.updateNotifications'), ['added', 'changed', 'removed']);
    for (const text of formatNotifications(applied, false)) tell('notify', text);
  }
}

async function removeGroup({ ask, note }: ActionContext, name: string): Promise<void> {
  const results = (await ask('supervisor.stopProcessGroup', name)) as readonly XmlRpcValue[];
  note({ name, ok: true, text: updateSteps.stopped(name) });
  if (results.some((result) => isStruct(result) && result['status'] === faults.FAILED)) {
    note({ name, ok: false, text: updateSteps.notRemoved(name) });
    return;
  }
  await ask('supervisor.removeProcessGroup', name);
  note({ name, ok: true, text: updateSteps.removed(name) });
}

async function updateGroup({ ask, note }: ActionContext, name: string): Promise<void> {
  const stopped = await updateInPlace(ask, name);
  if (stopped === null) {
    await ask('supervisor.stopProcessGroup', name);
    note({ name, ok: true, text: updateSteps.stopped(name) });
    await ask('supervisor.removeProcessGroup', name);
    await ask('supervisor.addProcessGroup', name);
  } else if (stopped.length > 0) note({ name, ok: true, text: updateSteps.stopped(name) });
  note({ name, ok: true, text: updateSteps.updated(name) });
}

/** Updates a group with as few restarts as possible; null if only the whole group can be replaced. */
async function updateInPlace(ask: Ask, name: string): Promise<readonly string[] | null> {
  try {
    return (await ask('onevisor.updateGroup', name)) as unknown as readonly string[];
  } catch (error) {
    if (error instanceof RpcFault && error.code === faults.BAD_NAME) return null;
    throw error;
  }
}

/** A group that stays as it is, because a socket cannot be opened, is a result. The other groups are still updated. */
async function refusable({ note }: ActionContext, name: string, change: () => Promise<void>): Promise<void> {
  try {
    await change();
  } catch (error) {
    if (!(error instanceof RpcFault) || error.code !== faults.FAILED || error.reason === null) throw error;
    note({ name, ok: false, text: updateSteps.refused(name, error.reason) });
  }
}

function namesIn<K extends string>(value: XmlRpcValue, keys: readonly K[]): Record<K, readonly string[]> {
  const struct = isStruct(value) ? value : {};
  return Object.fromEntries(keys.map((key) => [key, struct[key] ?? []])) as Record<K, readonly string[]>;
}
