/**
 * The command `update`: makes the supervisor read its configuration again, and applies the differences group by group.
 * With `--dry-run` (an addition) it only shows the changes that it would make, for each process if the server can tell
 * them. The supervisor has then read its files, as after `reread`.
 */
import { faults, RpcFault } from '../../core/faults.ts';
import { formatNamespec } from '../../core/namespec.ts';
import { defineCommand } from '../command.ts';
import type { Session } from '../session.ts';
import type { ConfigChanges, GroupPlan } from '../supervisor-client.ts';

const DRY_RUN = '--dry-run';

export const update = defineCommand({
  name: 'update',
  help: [
    'update\t\t\tReload config and add/remove as necessary, and will restart affected programs',
    'update all\t\tReload config and add/remove as necessary, and will restart affected programs',
    'update <gname> [...]\tUpdate specific groups',
  ],
  upcheck: 'never',
  parse: (words) => ({
    names: words.filter((word) => word !== DRY_RUN),
    isDryRun: words.includes(DRY_RUN),
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
    if (isDryRun) await showPlan(session, wanted);
    else await apply(session, wanted);
  },
});

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
  for (const name of new Set(names)) if (!known.has(name)) session.fail(`ERROR: no such group: ${name}`);
}

async function showPlan(session: Session, { removed, changed, added }: ConfigChanges): Promise<void> {
  session.outputAll(removed.map((name) => `${name}: would be stopped and removed`));
  for (const name of changed)
    session.outputAll([`${name}: would be updated`, ...formatPlan(name, await session.client.planUpdate(name))]);
  session.outputAll(added.map((name) => `${name}: would be added`));
  if (removed.length + changed.length + added.length === 0) session.output('No config updates to processes');
}

/** Formats one line for each process, in the order of the changes. */
function formatPlan(group: string, plan: GroupPlan | null): string[] {
  if (plan === null) return [];
  if (plan === 'whole') return ['  all its processes would be stopped and started'];
  const linesOf = (names: readonly string[], what: string): string[] =>
    names.map((name) => `  ${formatNamespec(group, name)} would ${what}`);
  return [
    ...linesOf(plan.stopped, 'be stopped'),
    ...linesOf(plan.restarted, 'be restarted'),
    ...linesOf(plan.started, 'be started'),
    ...linesOf(plan.changed, 'change without a restart'),
  ];
}

async function apply(session: Session, { removed, changed, added }: ConfigChanges): Promise<void> {
  const { client } = session;
  for (const name of removed) {
    const results = await client.stopProcessGroup(name);
    session.output(`${name}: stopped`);
    if (results.some((result) => result.status === faults.FAILED)) {
      session.fail(`${name}: has problems; not removing`);
      continue;
    }
    await client.removeProcessGroup(name);
    session.output(`${name}: removed process group`);
  }
  for (const name of changed) {
    const stopped = await client.updateGroup(name);
    if (stopped !== null) {
      if (stopped.length > 0) session.output(`${name}: stopped`);
      session.output(`${name}: updated process group`);
      continue;
    }
    await client.stopProcessGroup(name);
    session.output(`${name}: stopped`);
    await client.removeProcessGroup(name);
    await client.addProcessGroup(name);
    session.output(`${name}: updated process group`);
  }
  for (const name of added) {
    await client.addProcessGroup(name);
    session.output(`${name}: added process group`);
  }
}
