/**
 * Compares two configurations: groups as `reread` names them, processes as `update` must treat them. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import { haveSameOptions } from './shared-options.ts';
import type { Config, GroupConfig, NotifyConfig, ProcessConfig } from './model.ts';
import type { Table } from './option.ts';
import { programOptions, supervisordOptions } from './options.ts';

/** Names of groups or sections, each list in the order of the configuration that has them. */
export interface ConfigDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** Compares two configurations group by group (`supervisor.reloadConfig`). */
export function diffConfigs(before: Pick<Config, 'groups'>, after: Pick<Config, 'groups'>): ConfigDiff {
  const old = new Map(before.groups.map((group) => [group.name, group]));
  const fresh = new Set(after.groups.map(({ name }) => name));
  return {
    added: after.groups.filter(({ name }) => !old.has(name)).map(({ name }) => name),
    removed: before.groups.filter(({ name }) => !fresh.has(name)).map(({ name }) => name),
    changed: after.groups.filter((group) => isGroupChanged(old.get(group.name), group)).map(({ name }) => name),
  };
}

/** Compares the sections `[notify:x]` of two configurations. */
export function diffNotifications(before: readonly NotifyConfig[], after: readonly NotifyConfig[]): ConfigDiff {
  const old = new Map(before.map(({ name, options }) => [name, options]));
  const fresh = new Set(after.map(({ name }) => name));
  const isChanged = ({ name, options }: NotifyConfig): boolean =>
    old.has(name) && !isDeepStrictEqual(old.get(name), options);
  return {
    added: after.filter(({ name }) => !old.has(name)).map(({ name }) => name),
    removed: before.filter(({ name }) => !fresh.has(name)).map(({ name }) => name),
    changed: after.filter(isChanged).map(({ name }) => name),
  };
}

/** True if a group has changed. Places in the file do not count. */
function isGroupChanged(before: GroupConfig | undefined, after: GroupConfig): boolean {
  if (before === undefined) return false;
  const { processes: old, ...group } = before;
  const { processes, ...other } = after;
  if (old.length !== processes.length || !isDeepStrictEqual(group, other)) return true;
  return processes.some((proc, index) => !isSameProcess(old[index], proc));
}

/** Options that do not count in a comparison of processes: the number of a process is another field. */
const UNCOUNTED: ReadonlySet<string> = new Set(['numprocs', 'numprocs_start']);

/**
 * Compares what counts of two processes. Their places in the file and the number of processes of their program,
 * configured or scaled, do not count.
 */
function isSameProcess(before: ProcessConfig | undefined, after: ProcessConfig): boolean {
  if (before === undefined || !isDeepStrictEqual(factsOf(before), factsOf(after))) return false;
  return haveSameOptions(before.options, after.options, (name) => !UNCOUNTED.has(name));
}

/** Returns the facts of a process that count in a comparison, without its options. */
function factsOf({
  place: _place,
  listenPlace: _listenPlace,
  optionPlaces: _optionPlaces,
  scaledFrom: _scaledFrom,
  options: _options,
  ...facts
}: ProcessConfig): unknown {
  return facts;
}

/** True if a process must be restarted to be as configured. Other changes are applied while the process runs. */
export function isExecutionChanged(before: ProcessConfig, after: ProcessConfig): boolean {
  const rows: Table = programOptions;
  const factsOfSpawn = ({ type, argv, echoed }: ProcessConfig): unknown => [type, argv, echoed];
  return (
    !isDeepStrictEqual(factsOfSpawn(before), factsOfSpawn(after)) ||
    !haveSameOptions(before.options, after.options, (name) => rows[name]?.isLive !== true)
  );
}

/** Steps that bring a running group to its new configuration. */
export interface GroupUpdate {
  /** Processes that are not configured any more: they are stopped and removed. */
  readonly removed: readonly ProcessConfig[];
  readonly added: readonly ProcessConfig[];
  /** Processes that must be restarted if they run. */
  readonly renewed: readonly ProcessConfig[];
  /** Processes whose changes are applied while they run. */
  readonly live: readonly ProcessConfig[];
}

/**
 * Compares a group process by process. If numprocs changes, only the added or removed processes are touched. Unchanged
 * processes are in none of the lists.
 */
export function planGroupUpdate(before: GroupConfig, after: GroupConfig): GroupUpdate {
  const old = new Map(before.processes.map((proc) => [proc.name, proc]));
  const names = new Set(after.processes.map(({ name }) => name));
  const changed = after.processes.flatMap((proc) => {
    const former = old.get(proc.name);
    if (former === undefined || isSameProcess(former, proc)) return [];
    return { process: proc, isRenewed: isExecutionChanged(former, proc) };
  });
  return {
    removed: before.processes.filter(({ name }) => !names.has(name)),
    added: after.processes.filter(({ name }) => !old.has(name)),
    renewed: changed.filter(({ isRenewed }) => isRenewed).map(({ process: proc }) => proc),
    live: changed.filter(({ isRenewed }) => !isRenewed).map(({ process: proc }) => proc),
  };
}

/** Options of `[supervisord]` that have changed, and other sections that have. */
export interface SettingsDiff {
  /** Options that an update applies. */
  readonly live: readonly string[];
  /** Options, and sections such as `[unix_http_server]`, that only a restart of the supervisor applies. */
  readonly pending: readonly string[];
}

/** Options that only programs use. The update of their groups shows the changes, and restarts the programs. */
const OF_PROGRAMS: ReadonlySet<string> = new Set(['environment', 'expand_file_variables']);

type Settings = Pick<
  Config,
  'supervisord' | 'unixServers' | 'inetServers' | 'apiUsers' | 'rpcInterfaces' | 'dashboard'
>;

/** Compares what two configurations have besides their groups. */
export function diffSettings(before: Settings, after: Settings): SettingsDiff {
  const rows: Table = supervisordOptions;
  const old = new Map<string, unknown>(Object.entries(before.supervisord));
  const changed = Object.entries(after.supervisord)
    .filter(([name, value]) => !OF_PROGRAMS.has(name) && !isDeepStrictEqual(old.get(name), value))
    .map(([name]) => name);
  const isLive = (name: string): boolean => rows[name]?.isLive === true;
  const sections = [
    ['[unix_http_server]', before.unixServers, after.unixServers],
    ['[inet_http_server]', before.inetServers, after.inetServers],
    ['[api_user:x]', before.apiUsers, after.apiUsers],
    ['[rpcinterface:x]', before.rpcInterfaces, after.rpcInterfaces],
    ['[dashboard]', before.dashboard, after.dashboard],
  ] as const;
  return {
    live: changed.filter(isLive),
    pending: [
      ...changed.filter((name) => !isLive(name)),
      ...sections.filter(([, one, other]) => !isDeepStrictEqual(one, other)).map(([name]) => name),
    ],
  };
}

/** Returns a configuration with the options of another one that an update applies. */
export function applyLiveSettings(before: Config, after: Config): Config {
  const { live } = diffSettings(before, after);
  const changes = Object.entries(after.supervisord).filter(([name]) => live.includes(name) || OF_PROGRAMS.has(name));
  const { stopBudget, mainStopWait, sectionPlaces } = after;
  const supervisord = { ...before.supervisord, ...(Object.fromEntries(changes) as Partial<Config['supervisord']>) };
  return { ...before, supervisord, stopBudget, mainStopWait, sectionPlaces };
}
