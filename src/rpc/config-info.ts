/** The configuration of a process for `getAllConfigInfo`, under Supervisor's names. Pure. */
import type { GroupConfig, ProcessConfig } from '../config/model.ts';
import type { XmlRpcStruct } from './xmlrpc.ts';

/** Facts that the options do not have. */
export interface ConfigDetails {
  readonly isActive: boolean;
  readonly uid: number | null;
  readonly stdoutPath: string | null;
  readonly stderrPath: string | null;
}

/** compat: the value of an option that is not set. */
const NOT_SET = 'none';

/** compat: Supervisor has whole seconds here, and clients expect an int. A fraction is rounded up. */
function wholeSeconds(seconds: number): number {
  return Math.ceil(seconds);
}

/** compat: `syslog` as a log file is the old form of `stdout_syslog=true`. */
function hasSyslog(targets: ProcessConfig['options']['stdout_logfile']): boolean {
  return targets.some(({ kind }) => kind === 'syslog');
}

/** Makes the struct of one process, with the members in Supervisor's order. */
export function formatConfigInfo(
  group: GroupConfig,
  { name, options }: ProcessConfig,
  { isActive, uid, stdoutPath, stderrPath }: ConfigDetails,
): XmlRpcStruct {
  return {
    autostart: options.autostart,
    directory: options.directory ?? NOT_SET,
    uid: uid ?? NOT_SET,
    command: options.command,
    exitcodes: options.exitcodes,
    group: group.name,
    group_prio: group.priority,
    inuse: isActive,
    killasgroup: options.killasgroup,
    name,
    process_prio: options.priority,
    redirect_stderr: options.redirect_stderr,
    startretries: options.startretries,
    startsecs: wholeSeconds(options.startsecs),
    stdout_capture_maxbytes: options.stdout_capture_maxbytes,
    stdout_events_enabled: options.stdout_events_enabled,
    stdout_logfile: stdoutPath ?? NOT_SET,
    stdout_logfile_backups: options.stdout_logfile_backups,
    stdout_logfile_maxbytes: options.stdout_logfile_maxbytes,
    stdout_syslog: options.stdout_syslog || hasSyslog(options.stdout_logfile),
    stopsignal: options.stopsignal[0] ?? 0,
    stopwaitsecs: wholeSeconds(options.stopwaitsecs),
    stderr_capture_maxbytes: options.stderr_capture_maxbytes,
    stderr_events_enabled: options.stderr_events_enabled,
    stderr_logfile: stderrPath ?? NOT_SET,
    stderr_logfile_backups: options.stderr_logfile_backups,
    stderr_logfile_maxbytes: options.stderr_logfile_maxbytes,
    stderr_syslog: options.stderr_syslog || hasSyslog(options.stderr_logfile),
    // compat: AUTO counts as not set.
    serverurl: options.serverurl === null || options.serverurl.toUpperCase() === 'AUTO' ? NOT_SET : options.serverurl,
  };
}
