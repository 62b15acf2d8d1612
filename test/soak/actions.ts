/** Random actions on a supervisor. The generator decides everything; what an action meets depends on its time. */
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { inventConfiguration, processNames, type SoakPlaces, type SoakSize, SOCKET } from './configuration.ts';
import { inventMishap } from './faults.ts';
import type { Injector } from '../fault/injector.ts';
import type { Random } from './random.ts';
import { type Answer, ask, call, killChild, type Parameter, programsOf } from './supervisor.ts';

/** The supervisor that actions are for. */
export interface ActionWorld {
  readonly random: Random;
  readonly places: SoakPlaces;
  readonly size: SoakSize;
  /** Pid of the supervisor as seen from outside. */
  readonly pid: number;
  /** Cuts the connection of the event stream, which then continues. */
  readonly cutStream: () => void;
  /** Stops reading the standard output of the supervisor for a time. */
  readonly stallOutput: (ms: number) => void;
  /** Makes system calls fail; null if that is not possible here. */
  readonly injector: Injector | null;
}

/** An action that was chosen: its text, and its execution. */
export interface Action {
  readonly text: string;
  readonly run: () => Promise<Answer | void>;
}

const SIGNALS = ['HUP', 'USR1', 'STOP', 'CONT', 'KILL', 'TERM', 'INT', 'nonsense'] as const;
/** Signals for the supervisor. USR1 and WINCH mean nothing to it. */
const OWN_SIGNALS = ['SIGUSR2', 'SIGUSR1', 'SIGWINCH', 'SIGCHLD', 'SIGPIPE'] as const;
const READS = [
  '/api/v1/processes',
  '/api/v1/health',
  '/api/v1/groups',
  '/api/v1/events?limit=50',
  '/api/v1/logs?limit=100',
  '/api/v1/logs?grep=xxxx&limit=20',
  '/api/v1/logs?limtit=1',
  '/api/v1/config',
  '/api/v1/config/pending',
  '/api/v1/changes',
  '/metrics',
  '/readyz',
  '/index.html',
  '/nowhere',
] as const;
const ODD_TEXTS = ['', '*', 'nowhere', 'loop:', ':', 'loop:*', '\u0001', 'ü€😀', '../etc/passwd', 'x'.repeat(5000)];
const METHODS = [
  'supervisor.getState',
  'supervisor.getAllProcessInfo',
  'supervisor.getProcessInfo',
  'supervisor.readProcessStdoutLog',
  'supervisor.tailProcessStdoutLog',
  'supervisor.readLog',
  'supervisor.sendProcessStdin',
  'supervisor.getAllConfigInfo',
  'supervisor.sendRemoteCommEvent',
  'supervisor.nonsense',
  'system.listMethods',
  'system.methodHelp',
  'system.multicall',
] as const;

/** Invents an argument. */
export function inventParameter(random: Random, names: readonly string[]): Parameter {
  const kind = random.below(6);
  if (kind <= 1) return random.pick(names);
  if (kind === 2) return random.pick(ODD_TEXTS);
  if (kind === 3) return random.below(2000) - 1000;
  if (kind === 4) return random.hasLuck(0.5);
  return [random.pick(ODD_TEXTS), random.below(10)];
}

/** Invents a call that changes nothing that lasts. */
export function inventCall(random: Random, names: readonly string[]): { method: string; parameters: Parameter[] } {
  const parameters = Array.from({ length: random.below(4) }, () => inventParameter(random, names));
  return { method: random.pick(METHODS), parameters };
}

/** Writes bytes that are no request, and closes. */
export function sendNonsense(socketPath: string, text: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(socketPath, () => socket.end(text));
    socket.on('error', () => resolve()).on('close', () => resolve());
    socket.resume();
    socket.setTimeout(10_000, () => socket.destroy());
  });
}

/** Chooses the next action. */
export function chooseAction(world: ActionWorld): Action {
  return world.random.pickWeighted(KINDS)(world);
}

type Kind = (world: ActionWorld) => Action;

const socketOf = ({ places }: ActionWorld): string => join(places.folder, SOCKET);

const control: Kind = (world) => {
  const { random, size } = world;
  const name = random.pick(processNames(size));
  const verb = random.pick(['start', 'stop', 'restart', 'start', 'start'] as const);
  if (random.hasLuck(0.5)) {
    const path = `/api/v1/processes/${encodeURIComponent(name)}/${verb}`;
    return { text: `POST ${path}`, run: () => ask(socketOf(world), 'POST', path, '{}') };
  }
  const method = verb === 'stop' ? 'supervisor.stopProcess' : 'supervisor.startProcess';
  const wait = random.hasLuck(0.5);
  return { text: `${method} ${name} ${wait}`, run: () => call(socketOf(world), method, name, wait) };
};

const startAll: Kind = (world) => ({
  text: 'startAllProcesses',
  run: () => call(socketOf(world), 'supervisor.startAllProcesses', false),
});

const killFromOutside: Kind = ({ random, pid }) => {
  const luck = random.next();
  return {
    text: `kill -9 of a child (${luck.toFixed(4)})`,
    run: async () => {
      const children = await programsOf(pid);
      const victim = children[Math.floor(luck * children.length)];
      if (victim !== undefined) await killChild(pid, victim);
    },
  };
};

const signalProgram: Kind = (world) => {
  const { random, size } = world;
  const [name, signal] = [random.pick(processNames(size)), random.pick(SIGNALS)];
  return {
    text: `signalProcess ${name} ${signal}`,
    run: () => call(socketOf(world), 'supervisor.signalProcess', name, signal),
  };
};

const signalSupervisor: Kind = ({ random, pid }) => {
  const signal = random.pick(OWN_SIGNALS);
  return { text: `kill -${signal} 1`, run: async () => void process.kill(pid, signal) };
};

const pauseSupervisor: Kind = ({ random, pid }) => {
  const ms = random.below(400);
  return {
    text: `SIGSTOP for ${ms} ms`,
    run: async () => {
      process.kill(pid, 'SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, ms));
      process.kill(pid, 'SIGCONT');
    },
  };
};

/** Writes a configuration, mostly a valid one. */
function writeConfiguration(world: ActionWorld): { readonly isValid: boolean; readonly write: () => Promise<void> } {
  const { random, places, size } = world;
  const isValid = random.hasLuck(0.85);
  const text = inventConfiguration(random, places, size) + (isValid ? '' : '\n[program:broken]\nnumprocs=many\n');
  return { isValid, write: () => writeFile(join(places.folder, 'supervisord.conf'), text) };
}

const reload: Kind = (world) => {
  const { isValid, write } = writeConfiguration(world);
  return {
    text: `SIGHUP with ${isValid ? 'another' : 'an invalid'} configuration`,
    run: async () => {
      await write();
      process.kill(world.pid, 'SIGHUP');
    },
  };
};

const update: Kind = (world) => {
  const { isValid, write } = writeConfiguration(world);
  return {
    text: `update to ${isValid ? 'another' : 'an invalid'} configuration`,
    run: async () => {
      await write();
      return ask(socketOf(world), 'POST', '/api/v1/config/update', '{}');
    },
  };
};

const scale: Kind = (world) => {
  const count = 1 + world.random.below(6);
  return {
    text: `scale pool to ${count}`,
    run: () => ask(socketOf(world), 'POST', '/api/v1/programs/pool/scale', JSON.stringify({ count })),
  };
};

const callMethod: Kind = (world) => {
  const { method, parameters } = inventCall(world.random, processNames(world.size));
  return {
    text: `${method} ${JSON.stringify(parameters).slice(0, 100)}`,
    run: () => call(socketOf(world), method, ...parameters),
  };
};

const read: Kind = (world) => {
  const path = world.random.pick(READS);
  return { text: `GET ${path}`, run: () => ask(socketOf(world), 'GET', path) };
};

const nonsense: Kind = (world) => {
  const text = world.random.pick(['GET / HT', 'POST /RPC2 HTTP/1.1\r\nContent-Length: 99\r\n\r\n<', '\r\n\r\n\u0000']);
  return { text: 'nonsense', run: () => sendNonsense(socketOf(world), text) };
};

const cutStream: Kind = ({ cutStream: cut }) => ({ text: 'cut the event stream', run: async () => cut() });

const stallOutput: Kind = ({ random, stallOutput: stall }) => {
  const ms = random.below(2000);
  return { text: `no reader of stdout for ${ms} ms`, run: async () => stall(ms) };
};

const mishap: Kind = ({ random, injector }) => {
  const { text, run } = inventMishap(random);
  return { text, run: async () => (injector === null ? undefined : run(injector)) };
};

const KINDS: ReadonlyArray<readonly [number, Kind]> = [
  [25, control],
  [4, startAll],
  [12, killFromOutside],
  [10, signalProgram],
  [3, signalSupervisor],
  [1, pauseSupervisor],
  [0.4, reload],
  [1.5, update],
  [2, scale],
  [20, callMethod],
  [12, read],
  [3, nonsense],
  [2, cutStream],
  [1, stallOutput],
  [6, mishap],
];
