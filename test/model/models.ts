/** The small configurations that are searched. */
import type { Model } from './world.ts';

const SHORT = { stopwaitsecs: 2, startsecs: 1, startretries: 1 } as const;

/** All models. Together they have every input of the engine that comes from outside. */
export const models: readonly Model[] = [
  {
    name: 'a chain of services',
    programs: [
      { ...SHORT, name: 'db', autorestart: 'unexpected' },
      { ...SHORT, name: 'api', needs: { db: 'started' }, exit_on_failure: true, priority: 2 },
      { ...SHORT, name: 'web', needs: { api: 'started' }, priority: 3, autorestart: 'true' },
    ],
    abilities: ['start', 'stop', 'exit 0', 'exit 1', 'spawn fails', 'TERM'],
    depth: { brief: 5, long: 8 },
  },
  {
    name: 'a job, a server that needs it, and a worker',
    programs: [
      { ...SHORT, name: 'job', oneshot: true, startsecs: 0 },
      { ...SHORT, name: 'app', needs: { job: 'completed' }, exit_on_failure: true, autorestart: 'false' },
      { ...SHORT, name: 'fan', needs: { app: 'healthy' }, startretries: 0, exit_on_failure: true },
    ],
    abilities: ['start', 'stop', 'kill', 'exit 0', 'exit 1', 'healthy', 'unhealthy', 'spawn fails', 'TERM'],
    depth: { brief: 5, long: 8 },
  },
  {
    name: 'followers that are restarted with their dependencies',
    programs: [
      { ...SHORT, name: 'db', autorestart: 'true' },
      { ...SHORT, name: 'api', needs: { db: 'started:restart' }, notify: 'sd', ready_timeout: 2 },
      { ...SHORT, name: 'web', needs: { api: 'ready:restart' } },
    ],
    abilities: ['start', 'stop', 'restart', 'exit 1', 'ready', 'late alarm', 'TERM'],
    asked: ['db', 'api'],
    depth: { brief: 5, long: 9 },
  },
  {
    name: 'hooks and remaining processes',
    programs: [
      { ...SHORT, name: 'a', pre_start_command: 'x', post_stop_command: 'x', kill_orphans: 'always' },
      { ...SHORT, name: 'b', stop_command: 'x', stop_timeout: 3, needs: { a: 'started' } },
      { ...SHORT, name: 'c', stopsignal: [2, 15], exit_on_failure: true, kill_orphans: 'stop' },
    ],
    abilities: ['start', 'stop', 'exit 0', 'orphan', 'job fails', 'spawn fails', 'TERM', 'TERM again'],
    depth: { brief: 5, long: 8 },
  },
  {
    name: 'limits of a shutdown, and a reload',
    programs: [
      { ...SHORT, name: 'a', priority: 1, autorestart: 'true', max_restarts: 1 },
      { ...SHORT, name: 'b', priority: 2, stopwaitsecs: 20, pre_start_command: 'x' },
      { ...SHORT, name: 'c', priority: 3, oneshot: true, startsecs: 0 },
    ],
    options: { shutdownTimeoutMs: 3000, exitWhenIdle: true },
    abilities: ['start', 'stop', 'exit 0', 'exit 1', 'late alarm', 'reload', 'TERM', 'TERM again'],
    depth: { brief: 4, long: 7 },
  },
  {
    name: 'a main program, which gets the signal itself, and a delay',
    programs: [
      { ...SHORT, name: 'main', startsecs: 0, autorestart: 'false' },
      { ...SHORT, name: 'log', autorestart: 'true' },
      { ...SHORT, name: 'cron', needs: { log: 'started' }, exit_on_end: true, autorestart: 'false' },
    ],
    options: { mainProgram: 'main:main', stopBudgetMs: 5000 },
    isForwarded: true,
    abilities: ['start', 'stop', 'exit 0', 'exit 1', 'spawn fails', 'TERM', 'TERM again'],
    depth: { brief: 5, long: 8 },
  },
  {
    name: 'a delay before the shutdown',
    programs: [
      { ...SHORT, name: 'db', autorestart: 'true' },
      { ...SHORT, name: 'web', needs: { db: 'started' }, exit_on_failure: true },
      { ...SHORT, name: 'job', oneshot: true, startsecs: 0, needs: { web: 'started' } },
    ],
    options: { stopBudgetMs: 8000 },
    delayMs: 3000,
    abilities: ['start', 'stop', 'exit 0', 'exit 1', 'late alarm', 'TERM', 'TERM again'],
    depth: { brief: 5, long: 9 },
  },
];
