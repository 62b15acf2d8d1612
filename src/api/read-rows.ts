/** The rows that tell facts: the supervisor, its processes and groups. */
import { hideSecrets } from '../core/hide-secrets.ts';
import { findAllProblems } from '../rpc/problems.ts';
import { versionFacts } from '../rpc/version-facts.ts';
import type { XmlRpcValue } from '../rpc/xmlrpc.ts';
import { groupsSchema, healthSchema, versionSchema } from './answer-schemas.ts';
import { descriptionSchema, processesSchema, runsSchema, statusSchema } from './process-schemas.ts';
import { chooseProcesses, displayNameOf, oneProcess } from './names.ts';
import { type ApiRow, defineRow } from './row.ts';
import { list, maybe, text, truth } from './schema.ts';
import type {
  DescriptionAnswer,
  GroupsAnswer,
  HealthAnswer,
  ProcessesAnswer,
  RunAnswer,
  RunsAnswer,
  StatusAnswer,
  VersionAnswer,
} from './types.ts';

/** Longest name of a process. */
export const NAME_LENGTH = 1000;

/** Number of names in one request (rpc/method.ts). */
export const MAX_NAMES = 200;

/** The parameter `names` of queries. */
export const namesParameter = list(text({ min: 1, max: NAME_LENGTH }), {
  max: MAX_NAMES,
  help: 'web, pool:pool_00, pool:*, or a pattern with * and ?; may be repeated',
});

const usageParameter = truth('With the processor time and the memory of each process tree');

/** Hides secrets in the commands of a description. The configuration may have expanded variables in them. */
function withoutSecrets({ configured, healthcheck, reload, ...description }: DescriptionAnswer): DescriptionAnswer {
  return {
    ...description,
    configured: { ...configured, command: hideSecrets(configured.command) },
    ...(healthcheck === undefined
      ? {}
      : {
          healthcheck: {
            ...healthcheck,
            check: hideSecrets(healthcheck.check),
            ...(healthcheck.body === undefined ? {} : { body: hideSecrets(healthcheck.body) }),
          },
        }),
    ...(reload === undefined ? {} : { reload: hideSecrets(reload) }),
  };
}

/** The rows. */
export const readRows: readonly ApiRow[] = [
  defineRow<object, null, VersionAnswer>({
    method: 'GET',
    path: '/version',
    role: 'metrics',
    summary: 'Versions, epoch and state of the supervisor, and the role of the client',
    answer: versionSchema,
    run: ({ context: { api, version, hostname }, exchange }) =>
      versionFacts(api, { version, host: hostname(), role: exchange.role, user: exchange.client().user }),
  }),
  defineRow<object, null, HealthAnswer>({
    method: 'GET',
    path: '/health',
    role: 'metrics',
    summary: 'Readiness and health of all programs, with the reasons',
    answer: healthSchema,
    run: ({ context }) => {
      const problems = findAllProblems(context, 'ready');
      return { ready: problems.length === 0, alive: findAllProblems(context, 'alive').length === 0, problems };
    },
  }),
  defineRow<{ readonly names?: readonly string[]; readonly usage?: boolean }, null, ProcessesAnswer>({
    method: 'GET',
    path: '/processes',
    role: 'read',
    summary: 'Status of processes, in the order of the supervisor',
    query: { names: maybe(namesParameter), usage: maybe(usageParameter) },
    answer: processesSchema,
    run: async ({ context: { api }, query: { names, usage }, ask }) => {
      const seq = api.history.latestSeq;
      const chosen = names === undefined ? null : chooseProcesses(api, names);
      const wanted = new Set(chosen?.map(({ id }) => id));
      const all = (await ask('onevisor.getStatus', [], usage === true)) as unknown as readonly StatusAnswer[];
      const processes = chosen === null ? all : all.filter(({ group, name }) => wanted.has(`${group}:${name}`));
      return { epoch: api.epoch, seq, processes };
    },
  }),
  defineRow<{ readonly usage?: boolean }, null, StatusAnswer>({
    method: 'GET',
    path: '/processes/{name}',
    role: 'read',
    summary: 'Status of a process',
    query: { usage: maybe(usageParameter) },
    answer: statusSchema,
    run: async ({ context: { api }, path: { name = '' }, query: { usage }, ask }) => {
      const names: XmlRpcValue = [oneProcess(api, name).id];
      const [status] = (await ask('onevisor.getStatus', names, usage === true)) as unknown as [StatusAnswer];
      return status;
    },
  }),
  defineRow<object, null, DescriptionAnswer>({
    method: 'GET',
    path: '/processes/{name}/describe',
    role: 'read',
    summary: 'Everything about a process: status, usage, configuration, process tree, dependencies, latest runs',
    answer: descriptionSchema,
    run: async ({ context: { api }, path: { name = '' }, ask }) =>
      withoutSecrets((await ask('onevisor.describeProcess', oneProcess(api, name).id)) as unknown as DescriptionAnswer),
  }),
  defineRow<object, null, RunsAnswer>({
    method: 'GET',
    path: '/processes/{name}/runs',
    role: 'read',
    summary: 'Latest runs of a process with their causes and ends, the latest last',
    answer: runsSchema,
    run: async ({ context: { api }, path: { name = '' }, ask }) => ({
      runs: (await ask('onevisor.getRuns', oneProcess(api, name).id)) as unknown as readonly RunAnswer[],
    }),
  }),
  defineRow<object, null, GroupsAnswer>({
    method: 'GET',
    path: '/groups',
    role: 'read',
    summary: 'Active groups with their processes',
    answer: groupsSchema,
    run: ({ context: { api } }) => {
      const priorities = new Map(api.configuredGroups().map(({ name, priority }) => [name, priority]));
      const groups = new Map<string, string[]>();
      for (const proc of api.processes()) {
        const { group } = proc.config;
        const names = groups.get(group) ?? [];
        names.push(displayNameOf(proc));
        groups.set(group, names);
      }
      return {
        groups: [...groups].map(([name, processes]) => ({ name, priority: priorities.get(name) ?? 999, processes })),
      };
    },
  }),
];
