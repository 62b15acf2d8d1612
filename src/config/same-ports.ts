/**
 * Finding of `check --strict`: a port that two programs, or all processes of one program, listen at. Judges only ports
 * that the configuration names without doubt: [inet_http_server], [fcgi-program:x], `listen`, and the options of
 * well-known servers (known-servers.ts). Pure.
 */
import { isSameAddress } from '../core/same-address.ts';
import { formatSocketAddress, type SocketAddress } from '../core/socket-address.ts';
import { type Judged, nameSection, problemOf, processesOf } from './findings.ts';
import { findPorts, type Listened } from './known-servers.ts';
import type { Problem, ProcessConfig } from './model.ts';
import { sectionNameOf } from './section-names.ts';

/** An address of a process. */
interface Claim extends Listened {
  readonly proc: ProcessConfig;
  /** Option of the configuration that has the address. */
  readonly from: 'command' | 'socket' | 'listen';
  /** Number of processes of the program. */
  readonly count: number;
}

/** Finds ports with more than one owner. */
export function findSamePorts(judged: Judged): Problem[] {
  const bySection = Map.groupBy(processesOf(judged.config), sectionNameOf);
  const claims = [...bySection.values()].flatMap(claimsOf);
  return [
    ...[...Map.groupBy(claims, ({ port }) => port).values()].flatMap((same) => judgePort(same, judged)),
    ...[...bySection.values()].flatMap((processes) => judgeHealthChecks(processes, judged)),
    ...findSameSockets(judged),
  ];
}

/**
 * Returns the addresses of the processes of one section. Processes share the socket of a FastCGI program and those of
 * `listen`. A server that gets a socket of `listen` may name the same address in its command.
 */
function claimsOf(processes: readonly ProcessConfig[]): Claim[] {
  const count = processes.length;
  const shared = new Map<string, Claim>();
  const share = (proc: ProcessConfig, from: 'socket' | 'listen', address: SocketAddress | undefined): void => {
    if (address?.kind !== 'tcp') return;
    const key = formatSocketAddress(address);
    if (!shared.has(key)) shared.set(key, { ...address, option: from, proc, from, count });
  };
  for (const proc of processes) {
    share(proc, 'socket', proc.options.socket);
    for (const { address } of proc.options.listen) share(proc, 'listen', address);
  }
  const own = processes
    .filter(({ options }) => options.socket === undefined)
    .flatMap((proc) => findPorts(proc.argv).map((listened): Claim => ({ ...listened, proc, from: 'command', count })));
  const passed = [...shared.values()];
  return [...passed, ...own.filter((claim) => !passed.some((other) => isSameAddress(other, claim)))];
}

/** Judges all addresses with one port. Each section is reported once. */
function judgePort(claims: readonly Claim[], judged: Judged): Problem[] {
  const found: Problem[] = [];
  const earlier: Claim[] = [];
  for (const claim of claims) {
    const { proc, from } = claim;
    const server = judged.config.inetServers.find((other) => isSameAddress(other.port, claim));
    const other = earlier.find((before) => isSameAddress(before, claim) && canConflict(before, claim));
    const reason = server === undefined ? explain(claim, other, judged) : `${shown(claim)}, ${OF_SUPERVISOR}`;
    if (reason !== null) found.push(problemOf(judged, proc, from, reason));
    // A thousand processes with one port are compared with the first of their section only.
    const section = sectionNameOf(proc);
    if (!earlier.some((before) => sectionNameOf(before.proc) === section && before.host === claim.host))
      earlier.push(claim);
  }
  return found;
}

const OF_SUPERVISOR = 'which is that of the supervisor ([inet_http_server] port); give one of them another port';

function shown({ from, option, port }: Claim): string {
  return from !== 'command' ? `listens at port ${port}` : `listens at port ${port} (${option})`;
}

function explain(claim: Claim, other: Claim | undefined, judged: Judged): string | null {
  if (other === undefined) return null;
  const { proc, port, option, count, from } = claim;
  if (sectionNameOf(other.proc) !== sectionNameOf(proc))
    return `${shown(claim)}, as ${nameSection(judged, other.proc, other.from)} does; give one of them another port`;
  if (from === 'listen') return `${showPlace(claim)} cannot be opened beside ${showPlace(other)}; remove one of them`;
  // One command may name a port twice, for two addresses.
  if (other.proc === proc) return null;
  return (
    `all ${count} processes listen at port ${port} (${option}); give each a port of its own, for example ` +
    `${option} ${String(port).slice(0, -2)}%(process_num)02d`
  );
}

function showPlace({ host, port }: Claim): string {
  return formatSocketAddress({ kind: 'tcp', host, port });
}

/** True if two claims of one port exclude each other. Sockets of `listen` are always open, and shared if equal. */
function canConflict(a: Claim, b: Claim): boolean {
  const isShared = a.from === 'listen' && b.from === 'listen' && a.host === b.host;
  return !isShared && (a.from === 'listen' || b.from === 'listen' || canMeet(a.proc, b.proc));
}

/**
 * True if two processes usually run at the same time. Programs that are not started with the supervisor, or after the
 * end of each other, may take turns.
 */
function canMeet(a: ProcessConfig, b: ProcessConfig): boolean {
  if (sectionNameOf(a) === sectionNameOf(b)) return true;
  const isUp = ({ options }: ProcessConfig): boolean => options.autostart && !options.oneshot && options.cron === null;
  const follows = (later: ProcessConfig, first: ProcessConfig): boolean =>
    later.dependsOn.some(
      ({ group, process: name, conditions }) =>
        group === first.group &&
        name === first.name &&
        conditions.every((condition) => ['completed', 'exited', 'fatal', 'stopped'].includes(condition)),
    );
  return isUp(a) && isUp(b) && !follows(a, b) && !follows(b, a);
}

/** Options with a port, with a number of the process in their values. */
const NUMBERED_PORT = /(?:port|listen|bind|-p|-b)[= ]?\S{0,80}%\(process_num\)/;

/** Judges a health check that is the same for all processes of numprocs, while each has a port of its own. */
function judgeHealthChecks(processes: readonly ProcessConfig[], judged: Judged): Problem[] {
  const [first, second] = processes;
  if (first === undefined || second === undefined) return [];
  const [one, two] = [first, second].map(({ options: { healthcheck: probe } }) =>
    probe !== null && (probe.kind === 'tcp' || probe.kind === 'http') ? probe.port : null,
  );
  const command = judged.findOption(sectionNameOf(first), 'command')?.value ?? '';
  if (one === null || one === undefined || one !== two || !NUMBERED_PORT.test(command)) return [];
  return [
    problemOf(
      judged,
      first,
      'healthcheck',
      `checks all ${processes.length} processes at port ${one}, but each listens at a port of its own; write ` +
        '%(process_num) into it, as in the command',
    ),
  ];
}

/** Finds unix sockets of several FastCGI programs. */
function findSameSockets(judged: Judged): Problem[] {
  const owners = new Map<string, ProcessConfig>();
  return processesOf(judged.config).flatMap((proc) => {
    const { socket } = proc.options;
    if (socket?.kind !== 'unix' || socket.path === '') return [];
    const owner = owners.get(socket.path) ?? proc;
    owners.set(socket.path, owner);
    if (sectionNameOf(owner) === sectionNameOf(proc)) return [];
    const reason = `is also the socket of ${nameSection(judged, owner, 'socket')}; give one of them another path`;
    return [problemOf(judged, proc, 'socket', reason)];
  });
}
