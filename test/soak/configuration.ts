/** Configurations of a soak. The generator chooses the parts that a reload or an update changes. */
import type { Random } from './random.ts';

/** Numbers of processes. */
export interface SoakSize {
  /** Workers that end after some milliseconds and are restarted once a second. */
  readonly loops: number;
  /** Workers that live for a while. */
  readonly steady: number;
}

/** Places of a soak. */
export interface SoakPlaces {
  readonly folder: string;
  readonly worker: string;
  readonly seed: number;
}

/** Path of the control socket in the folder. */
export const SOCKET = 's.sock';

/** Largest number of processes of the pool. */
const POOL = 6;

/** Options that differ between configurations. */
interface Variant {
  readonly autostart: boolean;
  readonly pool: number;
  readonly startsecs: number;
  readonly stopwaitsecs: number;
  readonly loopsRestart: 'true' | 'unexpected';
  readonly hasExtra: boolean;
  readonly priority: number;
  readonly note: number;
}

const FIRST: Variant = {
  autostart: false,
  pool: 3,
  startsecs: 0,
  stopwaitsecs: 1,
  loopsRestart: 'true',
  hasExtra: true,
  priority: 999,
  note: 0,
};

/** The configuration that a soak begins with: no program is started. */
export function firstConfiguration(places: SoakPlaces, size: SoakSize): string {
  return write(places, size, FIRST);
}

/** The configuration that a soak ends with: no program is left, and all that belongs to one is closed. */
export function lastConfiguration({ folder }: Pick<SoakPlaces, 'folder'>): string {
  return writeSupervisor(folder);
}

/** Another configuration. */
export function inventConfiguration(random: Random, places: SoakPlaces, size: SoakSize): string {
  return write(places, size, {
    autostart: random.hasLuck(0.9),
    pool: 1 + random.below(POOL),
    startsecs: random.below(2),
    stopwaitsecs: 1 + random.below(2),
    loopsRestart: random.hasLuck(0.9) ? 'true' : 'unexpected',
    hasExtra: random.hasLuck(0.7),
    priority: random.below(3),
    note: random.below(3),
  });
}

/** Names of all processes that may exist, as clients write them. */
export function processNames({ loops, steady }: SoakSize): string[] {
  const numbered = (name: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `${name}:${name}${index}`);
  return [
    ...numbered('loop', loops),
    ...numbered('steady', steady),
    ...numbered('pool', POOL),
    ...numbered('slow', 2),
    ...numbered('stubborn', 2),
    ...numbered('parent', 2),
    'burst:burst0',
    'extra:extra0',
    'quick:quick0',
    'missing',
  ];
}

function writeSupervisor(folder: string): string {
  return `
[supervisord]
logfile=${folder}/supervisord.log
logfile_maxbytes=5MB
tail_bytes=128KB
[unix_http_server]
file=${folder}/${SOCKET}`;
}

function write({ folder, worker, seed }: SoakPlaces, { loops, steady }: SoakSize, variant: Variant): string {
  const program = (name: string, mode: string, count: number, options = ''): string => `
[program:${name}]
command=${worker} ${folder} ${name}%(process_num)d ${mode} ${seed}
process_name=${name}%(process_num)d
numprocs=${count}
autostart=${variant.autostart}
stopwaitsecs=${variant.stopwaitsecs}
stdout_logfile=/dev/stdout, ${folder}/logs/${name}%(process_num)d.log
stdout_logfile_maxbytes=200KB
stdout_logfile_backups=2000
${options}`;
  return `${writeSupervisor(folder)}
${program('loop', 'loop', loops, `log_format=prefix\nstartsecs=0\nautorestart=${variant.loopsRestart}`)}
${program('steady', 'polite', steady, `startsecs=${variant.startsecs}\nautorestart=true`)}
${program('pool', 'polite', variant.pool, `startsecs=0\nautorestart=true\npriority=${variant.priority}`)}
${program('slow', 'polite', 2, 'log_format=prefix\nstartsecs=1\nautorestart=true\nkill_orphans=always\ncompress=true')}
${program('stubborn', 'stubborn', 2, 'startsecs=0\nautorestart=true\nstopasgroup=true\nkillasgroup=true')}
${program('parent', 'parent', 2, 'startsecs=1\nautorestart=true\nkill_orphans=stop')}
${program('burst', 'burst', 1, `log_format=prefix\nstartsecs=0\nautorestart=true\nenvironment=NOTE="${variant.note}"`)}
${program('quick', 'loop', 1, 'startsecs=1\nstartretries=2\nautorestart=true')}
${variant.hasExtra ? program('extra', 'polite', 1, 'startsecs=0\ndepends_on=steady') : ''}
[program:missing]
command=/nowhere/there-is-no-such-program
autostart=${variant.autostart}
startsecs=0
startretries=1
`;
}
