/**
 * Finding of `check --strict`: a port that two programs, or all processes of one program, listen at. Judges only ports
 * that the configuration names without doubt: [inet_http_server], [fcgi-program:x], and the options of well-known
 * servers (known-servers.ts). Pure.
 */
import { isSameAddress } from '../core/same-address.ts';
import { type Judged, nameSection, problemOf, processesOf } from './findings.ts';
import { findPorts, type Listened } from './known-servers.ts';
import type { Problem, ProcessConfig } from './model.ts';
import { sectionNameOf } from './section-names.ts';

/** An address of a process. */
interface Claim extends Listened {
  readonly proc: ProcessConfig;
  /** Option of the configuration that has the address. */
  readonly from: 'command' | 'socket';
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

/** Returns the addresses of the processes of one section. All processes of a FastCGI program share its socket. */
function claimsOf(processes: readonly ProcessConfig[]): Claim[] {
  const count = processes.length;
  return processes.flatMap((proc, index): Claim[] => {
    const { socket } = proc.options;
    if (socket === undefined)
      return findPorts(proc.argv).map((listened) => ({ ...listened, proc, from: 'command', count }));
    if (socket.kind === 'unix' || index > 0) return [];
    return [{ host: socket.host, port: socket.port, option: 'socket', proc, from: 'socket', count }];
  });
}

/** Judges all addresses with one port. Each section is reported once. */
function judgePort(claims: readonly Claim[], judged: Judged): Problem[] {
  const found: Problem[] = [];
  const earlier: Claim[] = [];
  for (const claim of claims) {
    const { proc, from } = claim;
    const server = judged.config.inetServers.find((other) => isSameAddress(other.port, claim));
    const other = earlier.find((before) => isSameAddress(before, claim) && canMeet(before.proc, proc));
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
  return from === 'socket' ? `listens at port ${port}` : `listens at port ${port} (${option})`;
}

function explain(claim: Claim, other: Claim | undefined, judged: Judged): string | null {
  if (other === undefined) return null;
  const { proc, port, option, count } = claim;
  if (sectionNameOf(other.proc) !== sectionNameOf(proc))
    return `${shown(claim)}, as ${nameSection(judged, other.proc, other.from)} does; give one of them another port`;
  // One command may name a port twice, for two addresses.
  if (other.proc === proc) return null;
  return (
    `all ${count} processes listen at port ${port} (${option}); give each a port of its own, for example ` +
    `${option} ${String(port).slice(0, -2)}%(process_num)02d`
  );
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
