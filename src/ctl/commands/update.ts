/**
 * The command `update`: makes the supervisor read its configuration again, and applies the differences group by group.
 * With `--dry-run` (an addition) it only shows the changes that it would make, for each process if the server can tell
 * them. The supervisor has then read its files, as after `reread`.
 */
import { faults, RpcFault } from '../../core/faults.ts';
import {
  formatGroupPlans,
  formatNotifications,
  formatSettings,
  hasChanges,
  type PlannedGroup,
  updateSteps,
} from '../../core/update-text.ts';
import { defineCommand } from '../command.ts';
import { showGroupHints } from '../name-hint.ts';
import type { Session } from '../session.ts';
import type { ConfigChanges } from '../supervisor-client.ts';

const DRY_RUN = '--dry-run';

export const update = defineCommand({
  name: 'update',
  help: [
    'update\t\t\tReload config and add/remove as necessary, and will restart affected programs',
    'update all\t\tReload config and add/remove as necessary, and will restart affected programs',
    'update <gname> [...]\tUpdate specific groups',
  ],
  upcheck: 'never',
  parse: (words, namesFrom) => ({
    names: words.filter((word, at) => at >= namesFrom || word !== DRY_RUN),
    isDryRun: words.slice(0, namesFrom).includes(DRY_RUN),
  }),
  async run(session, { names, isDryRun }) {
    const changes = await reread(session);
    if (changes === null) return;
    const chosen = names.includes('all') ? [] : names;
    if (chosen.length > 0) await checkGroups(session, chosen, changes.added);
    const isChosen = (group: string): boolean => chosen.length === 0 || chosen.includes(group);
    const { removed, changed, added } = changes;
    const wanted = {
      removed: removed.filter(isChosen),
      changed: changed.filter(isChosen),
      added: added.filter(isChosen),
    };
    // Programs that are restarted get the new settings.
    if (chosen.length === 0) await updateSettings(session, isDryRun);
    if (isDryRun) await showPlan(session, wanted);
    else await apply(session, wanted);
    if (chosen.length === 0) await updateNotifications(session, isDryRun);
  },
});

/** Applies or shows the changes of the sections `[notify:x]`. A Supervisor has none. */
async function updateNotifications(session: Session, isDryRun: boolean): Promise<void> {
  const { client } = session;
  const changes = await client.planNotifications();
  if (changes === null || !hasChanges(changes)) return;
  session.outputAll(formatNotifications(isDryRun ? changes : await client.updateNotifications(), isDryRun));
}

async function reread(session: Session): Promise<ConfigChanges | null> {
  try {
    return await session.client.reloadConfig();
  } catch (error) {
    if (!(error instanceof RpcFault) || error.code !== faults.SHUTDOWN_STATE) throw error;
    session.fail('ERROR: already shutting down');
    return null;
  }
}

async function checkGroups(session: Session, names: readonly string[], added: readonly string[]): Promise<void> {
  const known = new Set([...(await session.client.getAllProcessInfo()).map((info) => info.group), ...added]);
  const unknown = [...new Set(names)].filter((name) => !known.has(name));
  for (const name of unknown) session.fail(`ERROR: no such group: ${name}`);
  await showGroupHints(session, unknown, added);
}

async function showPlan(session: Session, changes: ConfigChanges): Promise<void> {
  const plans = new Map<string, PlannedGroup>();
  for (const name of changes.changed) plans.set(name, await session.client.planUpdate(name));
  session.outputAll(formatGroupPlans(changes, plans));
}

async function apply(session: Session, { removed, changed, added }: ConfigChanges): Promise<void> {
  const { client } = session;
  for (const name of removed) {
    const results = await client.stopProcessGroup(name);
    session.output(updateSteps.stopped(name));
    if (results.some((result) => result.status === faults.FAILED)) {
      session.fail(updateSteps.notRemoved(name));
      continue;
    }
    await client.removeProcessGroup(name);
    session.output(updateSteps.removed(name));
  }
  for (const name of changed) await reportRefusal(session, name, () => applyChange(session, name));
  for (const name of added) {
    await reportRefusal(session, name, async () => {
      await client.addProcessGroup(name);
      session.output(updateSteps.added(name));
    });
  }
}

/** Updates the settings of the supervisor itself. compat: tells people only, since scripts read the lines of groups. */
async function updateSettings(session: Session, isDryRun: boolean): Promise<void> {
  const changes = await session.client.updateSettings(!isDryRun);
  if (changes === null || !session.hasOwnViews) return;
  session.outputAll(formatSettings(changes, isDryRun));
}

/** Reports a group that stays as it is because a socket cannot be opened. The other groups are still updated. */
async function reportRefusal(session: Session, name: string, change: () => Promise<void>): Promise<void> {
  try {
    await change();
  } catch (error) {
    if (!(error instanceof RpcFault) || error.code !== faults.FAILED || error.reason === null) throw error;
    session.fail(updateSteps.refused(name, error.reason));
  }
}

async function applyChange(session: Session, name: string): Promise<void> {
  const { client } = session;
  const stopped = await client.updateGroup(name);
  if (stopped !== null) {
    if (stopped.length > 0) session.output(updateSteps.stopped(name));
    session.output(updateSteps.updated(name));
    return;
  }
  await client.stopProcessGroup(name);
  session.output(updateSteps.stopped(name));
  await client.removeProcessGroup(name);
  await client.addProcessGroup(name);
  session.output(updateSteps.updated(name));
}
