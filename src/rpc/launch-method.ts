/**
 * `onevisor.getLaunchSettings`: the settings of a program, with which a client runs another command (`onevisor run`).
 * The environment may hold secrets, so only clients of a unix socket get it.
 */
import { RpcFault } from '../core/faults.ts';
import { findOneProcess } from './lookup.ts';
import { stringifyExactly } from './json-answer.ts';
import { type Method, readText } from './method.ts';

/** The method of `onevisor run`. */
export const launchMethod: Method = {
  name: 'onevisor.getLaunchSettings',
  help: 'User, directory, environment and limits of a process, for another command; only over a unix socket',
  parameters: [{ type: 'string', name: 'name', help: 'Process name, or group:name' }],
  returns: {
    type: 'struct',
    name: 'result',
    help:
      'env (JSON array), directory, umask, uid, gid, groups, limits, nice, oom_score_adj, ' +
      'capabilities, no_new_privs, mount_namespace',
  },
  isChange: true,
  call: async ({ api, client }, [value]) => {
    const name = readText(value);
    if (client.door !== 'unix')
      throw RpcFault.of('FAILED', 'the environment of a program is shown over a unix socket only');
    const settings = await api.launchSettings(findOneProcess(api, name).id);
    if (typeof settings === 'string') throw RpcFault.of('FAILED', `cannot run a command as ${name}: ${settings}`);
    const { env, directory, umask, uid, gid, groups, limits, nice, oomScoreAdj, mountNamespace } = settings;
    const { capabilities, noNewPrivileges } = settings;
    return {
      // As JSON text, which keeps bytes that are not UTF-8 (files/bytes.ts) as escapes.
      env: stringifyExactly(env),
      directory: stringifyExactly(directory),
      umask,
      uid,
      gid,
      groups: [...groups],
      limits: limits.map(({ resource, soft, hard }) => ({ resource, soft: orNone(soft), hard: orNone(hard) })),
      ...(nice === null ? {} : { nice }),
      ...(oomScoreAdj === null ? {} : { oom_score_adj: oomScoreAdj }),
      ...(capabilities === null
        ? {}
        : {
            capabilities: {
              dropped: [...capabilities.dropped],
              kept: [...capabilities.kept],
              ambient: [...capabilities.ambient],
            },
          }),
      no_new_privs: noNewPrivileges,
      mount_namespace: mountNamespace,
    };
  },
};

/** Returns -1 for no limit. */
function orNone(limit: number): number {
  return Number.isFinite(limit) ? limit : -1;
}
