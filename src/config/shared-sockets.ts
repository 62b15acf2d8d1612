/**
 * Rules for the sockets of `listen` over all programs: programs that name one socket share it, so they must agree on
 * its mode and owner. Pure.
 */
import type { ListenSpec } from '../core/listen-spec.ts';
import { formatSocketAddress } from '../core/socket-address.ts';
import type { PlaceOf } from './dependencies.ts';
import type { GroupConfig, ProcessConfig } from './model.ts';
import type { Owner } from '../core/file-access.ts';
import type { Problems } from './problems.ts';
import { sectionNameOf } from './section-names.ts';

/** Mode of a unix socket without `mode`: as that of `[fcgi-program:x]`. */
const DEFAULT_MODE = 0o700;

/** A socket of `listen` with all defaults filled in. */
export interface ListenRequirement {
  readonly spec: ListenSpec;
  readonly mode: number;
  /** Null: our own user. */
  readonly owner: Owner | null;
}

/** Fills in the defaults of a socket: without `owner`, a unix socket belongs to the user of the program. */
export function requirementOf(spec: ListenSpec, { user }: Pick<ProcessConfig['options'], 'user'>): ListenRequirement {
  return { spec, mode: spec.mode ?? DEFAULT_MODE, owner: spec.owner ?? user };
}

/** A socket, and the process that named it first. */
interface Claim extends ListenRequirement {
  readonly proc: ProcessConfig;
}

/** Reports programs that cannot share a socket. */
export function checkSockets(groups: readonly GroupConfig[], placeOf: PlaceOf, problems: Problems): void {
  const all = groups.flatMap(({ processes }) => processes);
  const error = (proc: ProcessConfig, option: string, reason: string): void => {
    const section = sectionNameOf(proc);
    problems.error(placeOf(section, option) ?? proc.place, section, option, reason);
  };
  const nameOf = (proc: ProcessConfig, option: string): string => {
    const { file, line } = placeOf(sectionNameOf(proc), option) ?? proc.place;
    return `[${sectionNameOf(proc)}] (${line > 0 ? `${file}:${line}` : file})`;
  };
  const claims = new Map<string, Claim>();
  for (const proc of all) {
    for (const spec of proc.options.listen) {
      const address = formatSocketAddress(spec.address);
      const claim = { ...requirementOf(spec, proc.options), proc };
      const first = claims.get(address) ?? claim;
      claims.set(address, first);
      const difference = spec.address.kind === 'unix' ? findDifference(first, claim) : null;
      if (difference !== null)
        error(
          proc,
          'listen',
          `${address} has another ${difference} in ${nameOf(first.proc, 'listen')}; programs that share a socket ` +
            `give it the same ;${difference}=`,
        );
    }
  }
  for (const proc of all) {
    const { socket } = proc.options;
    const claim = socket === undefined ? undefined : claims.get(formatSocketAddress(socket));
    if (claim !== undefined)
      error(proc, 'socket', `is also in listen of ${nameOf(claim.proc, 'listen')}; give one of them another address`);
  }
}

/**
 * Warns of programs that wait for a lazy program. If no connection comes before they are up, they wait for ever.
 */
export function warnLazyDependencies(groups: readonly GroupConfig[], placeOf: PlaceOf, problems: Problems): void {
  const all = groups.flatMap(({ processes }) => processes);
  const lazy = new Set(all.filter(({ options }) => options.listen_lazy).map(({ group, name }) => `${group}:${name}`));
  if (lazy.size === 0) return;
  for (const proc of all) {
    const found = proc.dependsOn.find(({ group, process: name }) => lazy.has(`${group}:${name}`));
    if (found === undefined) continue;
    const section = sectionNameOf(proc);
    const reason = `${found.process} starts at its first connection (listen_lazy); until then this program waits`;
    problems.warn(placeOf(section, 'depends_on') ?? proc.place, section, 'depends_on', reason);
  }
}

/** Returns the parameter in which two requirements of one unix socket differ; null for none. */
function findDifference(first: ListenRequirement, other: ListenRequirement): 'mode' | 'owner' | null {
  if (first.mode !== other.mode) return 'mode';
  const isSameOwner = first.owner?.user === other.owner?.user && first.owner?.group === other.owner?.group;
  return isSameOwner ? null : 'owner';
}
