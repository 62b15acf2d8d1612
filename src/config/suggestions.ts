/**
 * Names of options in other programs and in older versions, with the option to write here. Spelling mistakes are in
 * nearest.ts. Data.
 */

/** Replacement for an unknown name: an option, or the end of a sentence if it begins with a semicolon. */
type Names = Readonly<Record<string, string>>;

/**
 * Names from Docker and Compose, systemd, pm2, Supervisor 2, and the Supervisor that is written in Go.
 */
const PROGRAM: Names = {
  // Synonyms.
  cmd: 'command',
  exec: 'command',
  execstart: 'command',
  entrypoint: 'command',
  script: 'command',
  username: 'user',
  uid: 'user',
  run_as: 'user',
  runas: 'user',
  run_user: 'user',
  group: 'user=NAME:GROUP',
  gid: 'user=NAME:GROUP',
  env: 'environment',
  envs: 'environment',
  environments: 'environment',
  environment_variables: 'environment',
  environmentfile: 'environment_file',
  cwd: 'directory',
  workdir: 'directory',
  working_dir: 'directory',
  workingdirectory: 'directory',
  working_directory: 'directory',
  chdir: 'directory',
  dir: 'directory',
  restart: 'autorestart',
  auto_restart: 'autorestart',
  restart_policy: 'autorestart',
  auto_start: 'autostart',
  enabled: 'autostart',
  max_retries: 'startretries',
  maxretries: 'startretries',
  retries: 'startretries',
  start_retries: 'startretries',
  retry: 'startretries',
  instances: 'numprocs',
  replicas: 'numprocs',
  processes: 'numprocs',
  num_procs: 'numprocs',
  name: 'process_name',
  restart_delay: 'restartpause',
  restartsec: 'restartpause',
  max_memory_restart: 'max_memory',
  memory_limit: 'max_memory',
  min_uptime: 'startsecs',
  start_secs: 'startsecs',
  startup_time: 'startsecs',
  stop_signal: 'stopsignal',
  kill_signal: 'stopsignal',
  killsignal: 'stopsignal',
  stopsecs: 'stopwaitsecs',
  stop_timeout_secs: 'stopwaitsecs',
  stop_grace_period: 'stopwaitsecs',
  kill_timeout: 'stopwaitsecs',
  timeoutstopsec: 'stopwaitsecs',
  // Logs.
  logfile: 'stdout_logfile',
  log_file: 'stdout_logfile',
  log: 'stdout_logfile',
  stdout: 'stdout_logfile',
  out_file: 'stdout_logfile',
  output: 'stdout_logfile',
  stdout_file: 'stdout_logfile',
  stdout_outfile: 'stdout_logfile',
  stdout_log: 'stdout_logfile',
  stderr: 'stderr_logfile',
  error_file: 'stderr_logfile',
  err_logfile: 'stderr_logfile',
  error_logfile: 'stderr_logfile',
  stderr_file: 'stderr_logfile',
  stdout_errfile: 'stderr_logfile',
  stderr_errfile: 'stderr_logfile',
  stderr_log: 'stderr_logfile',
  errorlog: 'stderr_logfile',
  stdout_maxbytes: 'stdout_logfile_maxbytes',
  stderr_maxbytes: 'stderr_logfile_maxbytes',
  logfile_maxbytes: 'stdout_logfile_maxbytes',
  stdout_backups: 'stdout_logfile_backups',
  stderr_backups: 'stderr_logfile_backups',
  logfile_backups: 'stdout_logfile_backups',
  redirect_stdout: 'redirect_stderr',
  merge_logs: 'redirect_stderr',
  stdout_logfile_syslog: 'stdout_syslog',
  stderr_logfile_syslog: 'stderr_syslog',
  pidfile: '; only [supervisord] has one',
  // Options of Supervisor 2.
  log_stdout: 'stdout_logfile',
  log_stderr: 'redirect_stderr',
  stdout_logfile_max_bytes: 'stdout_logfile_maxbytes',
  // Options of the Supervisor that is written in Go.
  pre_start_hook: 'pre_start_command',
  execreload: 'reload_command',
  reloadsignal: 'reload_signal',
  post_stop_hook: 'post_stop_command',
  pre_stop_hook: 'stop_command',
  killwaitsecs: 'stopwaitsecs',
  kill_wait_secs: 'stopwaitsecs',
  liveness_check_type: 'healthcheck',
  liveness_check_command: 'healthcheck',
  liveness_check_url: 'healthcheck',
  liveness_check_http: 'healthcheck',
  liveness_check_tcp: 'healthcheck',
  liveness_check_port: 'healthcheck',
  liveness_check_interval: 'healthcheck_interval',
  liveness_check_timeout: 'healthcheck_timeout',
  liveness_check_retries: 'healthcheck_retries',
  liveness_check_threshold: 'healthcheck_retries',
  liveness_check_failure_threshold: 'healthcheck_retries',
  liveness_check_initial_delay: 'healthcheck_start_period',
  liveness_check_start_period: 'healthcheck_start_period',
  liveness_check_action: 'healthcheck_action',
  // Health checks.
  healthcheck_command: 'healthcheck',
  healthcheck_cmd: 'healthcheck',
  healthcheck_test: 'healthcheck',
  healthcheck_url: 'healthcheck',
  health_check: 'healthcheck',
  health_cmd: 'healthcheck',
  health_check_command: 'healthcheck',
  health_interval: 'healthcheck_interval',
  health_timeout: 'healthcheck_timeout',
  health_retries: 'healthcheck_retries',
  health_start_period: 'healthcheck_start_period',
  after: 'depends_on',
  requires: 'depends_on',
  wants: 'depends_on',
  depends: 'depends_on',
  depend: 'depends_on',
  wait_for: 'depends_on',
  schedule: 'cron',
  crontab: 'cron',
  cron_restart: 'cron',
};

const FOREGROUND = '; remove it: a program must stay in the foreground';

/** Options of programs that run in the background. */
const DAEMON: Names = {
  daemon: FOREGROUND,
  daemonize: FOREGROUND,
  nodaemon: FOREGROUND,
  background: FOREGROUND,
  foreground: FOREGROUND,
};

const SUPERVISORD: Names = {
  daemon: 'nodaemon, the opposite',
  daemonize: 'nodaemon, the opposite',
  background: 'nodaemon, the opposite',
  foreground: 'nodaemon',
  log_file: 'logfile',
  log: 'logfile',
  log_level: 'loglevel',
  pid_file: 'pidfile',
  pid: 'pidfile',
  username: 'user',
  group: 'user=NAME:GROUP',
  env: 'environment',
  // Options of Supervisor 2.
  http_port: 'port in [inet_http_server], or file in [unix_http_server]',
  http_username: 'username in [inet_http_server]',
  http_password: 'password in [inet_http_server]',
  sockchmod: 'chmod in [unix_http_server]',
  sockchown: 'chown in [unix_http_server]',
  xmlrpc_port: 'port in [inet_http_server]',
  backofflimit: 'startretries in [program:x]',
  forever: 'autorestart in [program:x]',
};

/** By the beginning of the section's name. */
const BY_SECTION: ReadonlyArray<readonly [start: string, names: Names]> = [
  ['supervisord', SUPERVISORD],
  ['program', { ...PROGRAM, ...DAEMON }],
  ['eventlistener:', { ...PROGRAM, ...DAEMON, event: 'events' }],
  ['fcgi-program:', { ...PROGRAM, ...DAEMON }],
  ['group:', { program: 'programs', members: 'programs' }],
  ['include', { file: 'files', include: 'files' }],
  [
    'inet_http_server',
    {
      host: 'port=HOST:PORT',
      address: 'port=HOST:PORT',
      listen: 'port=HOST:PORT',
      bind: 'port=HOST:PORT',
      user: 'username',
      pass: 'password',
    },
  ],
  ['unix_http_server', { socket: 'file', path: 'file', mode: 'chmod', owner: 'chown', user: 'username' }],
  ['supervisorctl', { url: 'serverurl', server_url: 'serverurl', user: 'username' }],
];

/**
 * Returns the replacement for an option that a section does not have, as the end of a sentence; null if none is known.
 */
export function findSynonym(section: string, option: string): string | null {
  const names = BY_SECTION.find(([start]) => section.startsWith(start))?.[1];
  const found = names !== undefined && Object.hasOwn(names, option) ? names[option] : undefined;
  if (found === undefined) return null;
  return found.startsWith(';') ? found : ` (did you mean ${found}?)`;
}
