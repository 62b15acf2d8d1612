/**
 * Known plug-ins of Supervisor: their names in a configuration, and their built-in replacements. Data and look-ups.
 * Plug-ins of `[rpcinterface:x]` and `[ctlplugin:x]` are Python that cannot be loaded. Event listeners are programs,
 * which run where they are installed.
 */

/** A published plug-in. */
export interface KnownPlugin {
  readonly name: string;
  /** Matches the factory in `[rpcinterface:x]` or `[ctlplugin:x]`. */
  readonly factory?: RegExp;
  /** Matches the name of a program or module in the command of an `[eventlistener:x]`. */
  readonly program?: RegExp;
  /** Options that the plug-in reads from the sections of programs. */
  readonly options?: readonly string[];
  /** The replacement, as the end of a sentence. */
  readonly instead: string;
}

const MAIL =
  'use a section [notify:x] with events=fatal, exited-unexpectedly and a command= that sends mail; see onevisor help ' +
  'notifications';
const HEALTH =
  'use the built-in health check: healthcheck=http://localhost:8080/ (or tcp://…, or a command) with ' +
  'healthcheck_action=restart in [program:x]';
const MEMORY = 'use the built-in memory limit: max_memory=300MB in [program:x]';

const PLUGINS: readonly KnownPlugin[] = [
  {
    name: 'supervisor-wildcards',
    factory: /^supervisor_?wildcards\b/,
    instead: "use wildcards in names: supervisorctl restart 'web*'",
  },
  {
    name: 'supervisor-quick',
    factory: /^supervisor_?quick/,
    instead: 'use supervisorctl stop all, which stops programs in parallel',
  },
  {
    name: 'supervisor-serialrestart',
    factory: /^supervisor_?serial_?restart/,
    instead: 'use supervisorctl restart --rolling',
  },
  {
    name: 'supervisor_twiddler',
    factory: /^supervisor_twiddler\b/,
    instead: 'to add programs at run time, write them to an included file and run supervisorctl update',
  },
  {
    name: 'mr.laforge',
    factory: /^mr\.laforge\b/,
    instead: 'use supervisorctl start, which waits until a program is up, with --timeout to limit the wait',
  },
  {
    name: 'ordered-startup-supervisord',
    program: /^ordered[-_]startup[-_](supervisord|listener)$/,
    options: ['startinorder'],
    instead: 'use the built-in start order: depends_on=NAME in [program:x]',
  },
  { name: 'memmon', program: /^memmon$/, instead: MEMORY },
  { name: 'supervisor_memory_check', program: /^supervisor_(memory|cpu)_check$/, instead: MEMORY },
  { name: 'httpok', program: /^httpok$/, instead: HEALTH },
  { name: 'supervisor_checks', program: /^supervisor_(http|tcp|xmlrpc|complex)_check$/, instead: HEALTH },
  { name: 'crashmail', program: /^(crashmail|crashmailbatch|fatalmailbatch|crashsms)$/, instead: MAIL },
  {
    name: 'superslacker',
    program: /^(superslacker|supervisor[-_]alert)$/,
    instead: 'use a section [notify:x] with url= of a webhook and template=; see onevisor help notifications',
  },
  {
    name: 'supervisord-watchdog',
    program: /^(supervisor|supervisord)?[-_]?watchdog(\.py)?$/,
    instead: 'to shut down when a program fails for good, use exit_on_failure=true in [program:x]',
  },
  {
    name: 'supervisor-logging',
    program: /^supervisor[-_](remote[-_])?logging$/,
    instead: 'use stdout_logfile=syslog://HOST:514 in [program:x]',
  },
];

/** Finds the plug-in that a factory belongs to. */
export function findFactory(factory: string): KnownPlugin | undefined {
  return PLUGINS.find((plugin) => plugin.factory?.test(factory));
}

/** A plug-in that a command line starts, and the word that names it. */
export interface StartedPlugin {
  readonly plugin: KnownPlugin;
  readonly program: string;
}

/** Finds the plug-in that a command line starts, directly or by an interpreter. */
export function findListener(argv: readonly string[]): StartedPlugin | undefined {
  for (const program of argv.slice(0, 3)) {
    const name = program.slice(program.lastIndexOf('/') + 1);
    const plugin = PLUGINS.find((known) => known.program?.test(name));
    if (plugin !== undefined) return { plugin, program };
  }
  return undefined;
}
