/** The configuration of a process as members of its description. Pure. Times are in seconds, sizes in bytes. */
import type { ProcessConfig } from '../config/model.ts';
import { formatCapabilityRule } from '../core/capabilities.ts';
import { limitsOf } from '../core/cgroup-limits.ts';
import { formatListen } from '../core/listen-spec.ts';
import { formatProbe, formatStatuses } from '../core/probe.ts';
import { formatReloadWay, reloadWayOf } from '../core/program-reload.ts';
import { type Limit, LIMITED_RESOURCES } from '../core/resource-limits.ts';
import { formatMode, formatOwner } from '../core/file-access.ts';
import { formatSignal } from '../core/signals.ts';
import { formatSocketAddress } from '../core/socket-address.ts';
import { STREAM_NAMES, type StreamName } from '../core/stream-name.ts';
import { tellsReadiness } from '../engine/policy.ts';
import type { SupervisorApi } from './supervisor-api.ts';
import type { XmlRpcStruct } from './xmlrpc.ts';

/** Makes the members: place, command, rules of restarts, health check, limits, and targets of the logs. */
export function configuredMembers(
  api: Pick<SupervisorApi, 'logTargets' | 'self'>,
  config: ProcessConfig,
): XmlRpcStruct {
  return {
    configured: configuredStruct(config),
    inherited: inheritedStruct(api, config),
    policy: policyStruct(config),
    ...readinessMembers(config),
    ...checkMembers(config),
    ...reloadMembers(config),
    ...environmentMembers(config),
    ...limitMembers(config),
    ...logMembers(api, config),
  };
}

function configuredStruct({ place: { file, line }, options }: ProcessConfig): XmlRpcStruct {
  const { command, user, directory, listen, listen_lazy: isLazy, socket } = options;
  const owner = user === null ? {} : { user: formatOwner(user) };
  return {
    file,
    line,
    command,
    ...owner,
    ...(directory === null ? {} : { directory }),
    ...(listen.length === 0 ? {} : { listen: formatListen(listen) }),
    ...(isLazy ? { listen_lazy: isLazy } : {}),
    ...(socket === undefined ? {} : { socket: formatSocketAddress(socket) }),
  };
}

/** Makes the struct of what the program has from the supervisor, because its configuration does not set it. */
function inheritedStruct(
  api: Pick<SupervisorApi, 'self'>,
  { options: { user, directory } }: ProcessConfig,
): XmlRpcStruct {
  const self = api.self();
  return { ...(user === null ? { uid: self.uid } : {}), ...(directory === null ? { directory: self.directory } : {}) };
}

/** Makes the struct of the options that decide when the program is started again. */
function policyStruct({ options }: ProcessConfig): XmlRpcStruct {
  const { autorestart, startsecs, startretries, exitcodes, exit_on_failure, exit_on_end, cron, tz } = options;
  const { restart_on_change: patterns, signal_on_change: signal } = options;
  return {
    autorestart,
    startsecs,
    startretries,
    exitcodes,
    ...(exit_on_failure ? { exit_on_failure } : {}),
    ...(exit_on_end ? { exit_on_end } : {}),
    ...(cron === null ? {} : { cron: cron.text }),
    ...(tz === null ? {} : { tz }),
    ...(patterns.length === 0 ? {} : { restart_on_change: patterns }),
    ...(signal === null ? {} : { signal_on_change: formatSignal(signal) }),
  };
}

/** Makes the struct of the ways in which a program reports its readiness. */
function readinessMembers({ options }: ProcessConfig): XmlRpcStruct {
  if (!tellsReadiness(options)) return {};
  const { ready_log, notification_fd, notify, ready_timeout } = options;
  return {
    readiness: {
      ...(ready_log === null ? {} : { ready_log }),
      ...(notification_fd === null ? {} : { notification_fd }),
      ...(notify === null ? {} : { notify }),
      ...(ready_timeout === null ? {} : { ready_timeout }),
    },
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
      ...(options.healthcheck_success_threshold === 1 ? {} : { successes: options.healthcheck_success_threshold }),
      ...(options.healthcheck_expect === null ? {} : { expect: formatStatuses(options.healthcheck_expect) }),
      ...(options.healthcheck_body === null ? {} : { body: options.healthcheck_body }),
    },
  };
}

/** Makes the struct of the options that decide which variables the program gets. Never has values of variables. */
function environmentMembers({ options }: ProcessConfig): XmlRpcStruct {
  const { environment_clear, environment_pass, environment_file_expand, expand_file_variables: expanded } = options;
  const names = typeof expanded === 'boolean' ? String(expanded) : expanded.join(', ');
  const environment = {
    ...(environment_clear ? { environment_clear } : {}),
    ...(environment_pass.length === 0 ? {} : { environment_pass: environment_pass.join(', ') }),
    ...(environment_file_expand ? { environment_file_expand } : {}),
    ...(expanded === false ? {} : { expand_file_variables: names }),
  };
  return Object.keys(environment).length === 0 ? {} : { environment };
}

/** Makes the member that says how the program reads its configuration again. */
function reloadMembers({ options }: ProcessConfig): XmlRpcStruct {
  const way = reloadWayOf(options);
  if (way === null) return {};
  return { reload: way.kind === 'signal' ? formatReloadWay(way) : (options.reload_command ?? '') };
}

function limitMembers({ options }: ProcessConfig): XmlRpcStruct {
  const rows = LIMITED_RESOURCES.flatMap((name): Array<[string, string]> => {
    const limit = options[`rlimit_${name}`];
    return limit === null ? [] : [[`rlimit_${name}`, formatLimit(limit)]];
  });
  const limits = {
    ...(options.max_memory === null ? {} : { max_memory: options.max_memory }),
    ...(options.capabilities === null ? {} : { capabilities: formatCapabilityRule(options.capabilities) }),
    ...Object.fromEntries(
      limitsOf(options).map(({ option, controller }) => [
        option,
        controller === 'memory' ? (options[option] ?? 0) : String(options[option]),
      ]),
    ),
    ...(options.kill_orphans === 'cgroup' ? { kill_orphans: 'cgroup' } : {}),
    ...(options.no_new_privs ? { no_new_privs: 'true' } : {}),
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
  const files = STREAM_NAMES.flatMap((stream): Array<[string, XmlRpcStruct]> => {
    const access = accessStruct(config, stream);
    return Object.keys(access).length === 0 ? [] : [[stream, access]];
  });
  return {
    log_targets: Object.fromEntries(targets),
    ...(files.length === 0 ? {} : { log_files: Object.fromEntries(files) }),
    ...(config.options.logfile_mkdir ? { logfile_mkdir: true } : {}),
    ...(config.options.log_multiline === null ? {} : { log_multiline: config.options.log_multiline }),
    redirect_stderr: config.options.redirect_stderr,
  };
}

/** Makes the struct of the mode and the owner of the log files of a stream, if they are set. */
function accessStruct({ options }: ProcessConfig, stream: StreamName): XmlRpcStruct {
  const { [`${stream}_logfile_mode` as const]: mode, [`${stream}_logfile_owner` as const]: owner } = options;
  return {
    ...(mode === null ? {} : { mode: formatMode(mode) }),
    ...(owner === null ? {} : { owner: formatOwner(owner) }),
  };
}
