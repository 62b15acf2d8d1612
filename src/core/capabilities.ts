/**
 * Capabilities of a program (capabilities(7)): the rule that a configuration has, and the sets that follow from it for
 * the supervisor that starts the program. Pure.
 */

/** Names of the capabilities without CAP_, by their numbers (linux/capability.h). */
export const capabilityNames = [
  'chown',
  'dac_override',
  'dac_read_search',
  'fowner',
  'fsetid',
  'kill',
  'setgid',
  'setuid',
  'setpcap',
  'linux_immutable',
  'net_bind_service',
  'net_broadcast',
  'net_admin',
  'net_raw',
  'ipc_lock',
  'ipc_owner',
  'sys_module',
  'sys_rawio',
  'sys_chroot',
  'sys_ptrace',
  'sys_pacct',
  'sys_admin',
  'sys_boot',
  'sys_nice',
  'sys_resource',
  'sys_time',
  'sys_tty_config',
  'mknod',
  'lease',
  'audit_write',
  'audit_control',
  'setfcap',
  'mac_override',
  'mac_admin',
  'syslog',
  'wake_alarm',
  'block_suspend',
  'audit_read',
  'perfmon',
  'bpf',
  'checkpoint_restore',
] as const;

const SETPCAP = 8;

/** The option `capabilities`. Numbers of capabilities, in ascending order. */
export interface CapabilityRule {
  /** `drop-all`: only those in `added` stay. */
  readonly dropsAll: boolean;
  /** `+NAME` */
  readonly added: readonly number[];
  /** `-NAME` */
  readonly removed: readonly number[];
}

/** The capabilities of the supervisor. */
export interface OwnCapabilities {
  readonly permitted: readonly number[];
  readonly bounding: readonly number[];
}

/** Sets for the program, as the addon takes them (native/addon.ts). */
export interface ProgramCapabilities {
  readonly dropped: readonly number[];
  readonly kept: readonly number[];
  readonly ambient: readonly number[];
}

/** Result of {@link planCapabilities}: the sets, or the reason why the rule cannot be followed. */
export type CapabilityPlan =
  { readonly ok: true; readonly sets: ProgramCapabilities } | { readonly ok: false; readonly reason: string };

/**
 * Returns the sets of a program. `isRoot`: it runs as root, which has every capability of the bounding set after an
 * exec. Another user has only the ambient ones. Without CAP_SETPCAP the bounding set cannot shrink. Then
 * `noNewPrivileges` is needed, with which no program gets a capability from it.
 */
export function planCapabilities(
  rule: CapabilityRule,
  { permitted, bounding }: OwnCapabilities,
  { isRoot, noNewPrivileges }: { readonly isRoot: boolean; readonly noNewPrivileges: boolean },
): CapabilityPlan {
  const missing = rule.added.filter((number) => !permitted.includes(number));
  if (missing.length > 0)
    return {
      ok: false,
      reason: `the supervisor itself does not have ${formatList(missing)}; give it to the container`,
    };
  const stays = (number: number): boolean =>
    rule.added.includes(number) || (!rule.dropsAll && !rule.removed.includes(number));
  const dropped = bounding.filter((number) => !stays(number));
  const canDrop = permitted.includes(SETPCAP);
  if (dropped.length > 0 && !canDrop && !noNewPrivileges)
    return { ok: false, reason: 'the supervisor does not have CAP_SETPCAP; set no_new_privs=true, or run it as root' };
  return {
    ok: true,
    sets: {
      dropped: canDrop ? dropped : [],
      kept: isRoot ? permitted.filter(stays) : rule.added,
      ambient: rule.added,
    },
  };
}

function formatList(numbers: readonly number[]): string {
  return numbers.map((number) => `CAP_${nameOf(number).toUpperCase()}`).join(', ');
}

function nameOf(number: number): string {
  return capabilityNames[number] ?? String(number);
}

/** Formats a rule as a configuration writes it: `drop-all,+net_bind_service`. */
export function formatCapabilityRule({ dropsAll, added, removed }: CapabilityRule): string {
  return [
    ...(dropsAll ? ['drop-all'] : []),
    ...added.map((number) => `+${nameOf(number)}`),
    ...removed.map((number) => `-${nameOf(number)}`),
  ].join(',');
}

/** Reads a set of capabilities as /proc/PID/status has it: 64 bits in hexadecimal digits. */
export function parseCapabilitySet(digits: string): number[] {
  const bits = BigInt(`0x${digits}`);
  return Array.from({ length: 64 }, (_, number) => number).filter((number) => ((bits >> BigInt(number)) & 1n) === 1n);
}
