/** The configuration of a process as members of its description. Pure. Times are in seconds, sizes in bytes. */
import type { ProcessConfig } from '../config/model.ts';
import { formatProbe } from '../core/probe.ts';
import { type Limit, LIMITED_RESOURCES } from '../core/resource-limits.ts';
import { STREAM_NAMES } from '../core/stream-name.ts';
import type { SupervisorApi } from './supervisor-api.ts';
import type { XmlRpcStruct } from './xmlrpc.ts';

/** Makes the members: place, command, rules of restarts, health check, limits, and targets of the logs. */
export function configuredMembers(api: Pick<SupervisorApi, 'logTargets'>, config: ProcessConfig): XmlRpcStruct {
  return {
    configured: configuredStruct(config),
    policy: policyStruct(config),
    ...checkMembers(config),
    ...limitMembers(config),
    ...logMembers(api, config),
  };
}

function configuredStruct({ place: { file, line }, options }: ProcessConfig): XmlRpcStruct {
  const { command, user, directory } = options;
  const owner = user === null ? {} : { user: user.group === null ? user.user : `${user.user}:${user.group}` };
  return { file, line, command, ...owner, ...(directory === null ? {} : { directory }) };
}

/** Makes the struct of the options that decide when the program is started again. */
function policyStruct({ options }: ProcessConfig): XmlRpcStruct {
  const { autorestart, startsecs, startretries, exitcodes, exit_on_failure, exit_on_end, cron, tz } = options;
  return {
    autorestart,
    startsecs,
    startretries,
    exitcodes,
    ...(exit_on_failure ? { exit_on_failure } : {}),
    ...(exit_on_end ? { exit_on_end } : {}),
    ...(cron === null ? {} : { cron: cron.text }),
    ...(tz === null ? {} : { tz }),
  };
}

function checkMembers({ options }: ProcessConfig): XmlRpcStruct {
  const { healthcheck, healthcheck_interval, healthcheck_timeout, healthcheck_retries, healthcheck_action } = options;
  if (healthcheck === null) return {};
  return {
    healthcheck: {
      check: formatProbe(healthcheck),
      interval: healthcheck_interval,
      timeout: healthcheck_timeout,
      retries: healthcheck_retries,
      action: healthcheck_action,
    },
  };
}

function limitMembers({ options }: ProcessConfig): XmlRpcStruct {
  const rows = LIMITED_RESOURCES.flatMap((name): Array<[string, string]> => {
    const limit = options[`rlimit_${name}`];
    return limit === null ? [] : [[`rlimit_${name}`, formatLimit(limit)]];
  });
  const limits = {
    ...(options.max_memory === null ? {} : { max_memory: options.max_memory }),
    ...Object.fromEntries(rows),
  };
  return Object.keys(limits).length === 0 ? {} : { limits };
}

/** Formats a resource limit as a configuration writes it: `1024`, `1024:4096`, `unlimited`. */
function formatLimit({ soft, hard }: Limit): string {
  const show = (value: number): string => (Number.isFinite(value) ? String(value) : 'unlimited');
  return soft === hard ? show(soft) : `${show(soft)}:${show(hard)}`;
}

function logMembers(api: Pick<SupervisorApi, 'logTargets'>, config: ProcessConfig): XmlRpcStruct {
  const targets = STREAM_NAMES.flatMap((stream): Array<[string, string]> => {
    const text = api.logTargets(config, stream);
    return text === null ? [] : [[stream, text]];
  });
  return { log_targets: Object.fromEntries(targets), redirect_stderr: config.options.redirect_stderr };
}
