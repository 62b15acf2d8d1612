/**
 * The table of all commands of the executable: those that ask a running supervisor (client-commands.ts), and the frozen
 * list of the others. Pure data, and look-ups in it.
 */
import { clientCommands } from './client-commands.ts';
import type { CommandSpec, OptionSpec } from './command-spec.ts';
import { connectionOptions, shellOptions } from './connection-options.ts';

/** The forms of the output of `check`. */
export const CHECK_FORMATS = ['text', 'json', 'github'] as const;

/**
 * The commands that exist in every process, also in the main process of a container. manual/start.md names them, and
 * promises that no word is ever added: `docker run image WORD` has to keep its meaning.
 */
const frozenCommands: readonly CommandSpec[] = [
  {
    name: 'health',
    kind: 'frozen',
    group: 'look',
    summary: 'Report each process that should be up and is not',
    usage: ['health [--live] [--flapping] [--wait[=TIME]] [NAME…]'],
    takes: ['processes'],
    options: [
      { names: ['--live'], help: 'for liveness probes: a start or a restart that is due is no problem' },
      { names: ['--flapping'], help: 'a crash loop is a problem, too' },
      {
        names: ['--wait'],
        value: 'TIME',
        valueKind: 'text',
        join: '=',
        help: 'wait until there is no problem, 60 seconds at most by default',
      },
      ...connectionOptions,
    ],
    details: [
      'Made for HEALTHCHECK and for probes that run a command: it prints a line for each problem, and ' +
        'nothing if all is well. A process that has a health check must be healthy.',
      'A program that crashes again and again is up most of the time. It counts only with --flapping. In the pause ' +
        'before its next start it is not up; with --live that does not count either: a liveness probe should not end ' +
        'a container for one worker.',
    ],
    examples: [
      { line: 'onevisor health', effect: 'all processes' },
      { line: 'onevisor health web', effect: 'one process' },
      { line: 'onevisor health --wait=30', effect: 'until all is well, at most 30 s' },
    ],
    exitCodes: [[1, 'there is a problem, no supervisor answers, or it refuses the user']],
  },
  {
    name: 'ctl',
    kind: 'frozen',
    group: 'supervisor',
    summary: 'Be supervisorctl: run a command, or open a shell',
    usage: ['ctl [OPTIONS] [COMMAND [ARG…]]'],
    takes: ['action'],
    options: [...connectionOptions, ...shellOptions],
    details: [
      'Has all commands that ask a supervisor: `onevisor ctl status` is `onevisor status`. Works in ' +
        'every process, also where `onevisor status` would run a program named status.',
      'Without -c and -s it asks the supervisor of this container.',
      'As `supervisorctl`, and wherever the output is no terminal, it writes what the client of Supervisor writes.',
    ],
    examples: [
      { line: 'onevisor ctl status', effect: 'one command' },
      { line: 'onevisor ctl -s unix:///run/onevisor.sock status', effect: 'a supervisor by its address' },
      { line: 'echo status | onevisor ctl', effect: 'commands from a pipe' },
    ],
    exitCodes: [[2, 'the command line or the configuration is wrong']],
  },
  {
    name: 'check',
    kind: 'frozen',
    group: 'prepare',
    summary: 'Check a configuration, and print its values; start nothing',
    usage: ['check [--strict] [--static] [--format FORMAT] [OPTIONS]'],
    takes: [],
    options: [
      { names: ['--strict'], help: 'find likely mistakes too, and exit with 2 also if there is a warning' },
      { names: ['--static'], help: 'look up nothing on this machine: users, directories, includes, commands' },
      {
        names: ['--format'],
        value: 'FORMAT',
        valueKind: 'format',
        help: 'text; json, one object; github, annotations of GitHub Actions',
      },
      { names: ['--json'], help: 'the same as --format json' },
      { names: ['-c', '--configuration'], value: 'FILE', valueKind: 'file', help: 'configuration file' },
      { names: ['--container'], help: 'with the defaults of a container' },
    ],
    details: ['Takes the other options of the supervisor too: `onevisor help options`.'],
    examples: [
      { line: 'onevisor check', effect: 'what the supervisor would read' },
      { line: 'onevisor check --static -c supervisord.conf', effect: 'a file of another machine' },
      { line: 'onevisor check --strict --format github', effect: 'for a workflow of GitHub' },
    ],
    exitCodes: [[2, 'the configuration has an error, or a warning with --strict']],
  },
  {
    name: 'echo-conf',
    kind: 'frozen',
    group: 'prepare',
    summary: 'Print a sample configuration with every option',
    usage: ['echo-conf'],
    takes: [],
    examples: [{ line: 'onevisor echo-conf >sample.conf', effect: 'into a file' }],
  },
  {
    name: 'schema',
    kind: 'frozen',
    group: 'prepare',
    summary: 'Print a JSON Schema of all options, for editors',
    usage: ['schema [configuration | environment]'],
    takes: ['schema'],
    details: [
      '`configuration`: an object from section to options. `environment`: an object of variables, as ' +
        'in a Compose file. Made from the table of options.',
    ],
    examples: [{ line: 'onevisor schema environment >onevisor.schema.json', effect: 'for the variables' }],
    exitCodes: [[2, 'there is no such schema']],
  },
  {
    name: 'install',
    kind: 'frozen',
    group: 'prepare',
    summary: 'Make the links supervisord, supervisorctl and others',
    usage: ['install [--force] DIR'],
    takes: ['directory'],
    options: [{ names: ['--force'], help: 'replace other files and links of these names' }],
    details: [
      'The links are relative, and lead to onevisor in DIR, or to this executable if DIR has no ' +
        'onevisor. DIR is made if it is missing.',
    ],
    examples: [{ line: 'onevisor install ./bin', effect: 'links in a directory' }],
    exitCodes: [
      [1, 'a link cannot be made'],
      [2, 'the command line is wrong'],
    ],
  },
  {
    name: 'unpack',
    kind: 'frozen',
    group: 'prepare',
    summary: 'Do nothing any more; old Dockerfiles call this',
    usage: ['unpack'],
    takes: [],
  },
  {
    name: 'pidproxy',
    kind: 'frozen',
    group: 'prepare',
    summary: 'Stay in the foreground for a program that does not',
    usage: ['pidproxy PIDFILE CMD [ARG…]'],
    takes: ['file', 'text'],
    details: [
      'For a program that goes to the background and writes PIDFILE: signals are forwarded to the ' +
        'process in PIDFILE.',
    ],
    exitCodes: [[2, 'the command line is wrong']],
  },
  {
    name: 'demo',
    kind: 'frozen',
    group: 'learn',
    summary: 'Run three small programs, to try onevisor out',
    usage: ['demo'],
    takes: [],
    details: ['A clock, a worker that crashes, and a program that leaves orphans. Ctrl-C ends it.'],
  },
  {
    name: 'help',
    kind: 'frozen',
    group: 'learn',
    summary: 'Show a page of the manual, a command or an option',
    usage: ['help [TOPIC]', 'help command|page|option TOPIC'],
    takes: ['topic'],
    details: [
      'A TOPIC is a command, a page of the manual, an option of the configuration, or a variable. ' +
        'Without one: the list of pages. Through a pipe a page is Markdown.',
    ],
    examples: [
      { line: 'onevisor help', effect: 'the pages of the manual' },
      { line: 'onevisor help restart', effect: 'a command' },
      { line: 'onevisor help autorestart', effect: 'an option of the configuration' },
      { line: 'onevisor help page start', effect: 'a page that has the name of a command' },
    ],
    exitCodes: [[2, 'there is no such topic']],
  },
  {
    name: 'completion',
    kind: 'frozen',
    group: 'learn',
    summary: 'Print a script for the completion of a shell',
    usage: ['completion bash | zsh | fish'],
    takes: ['shell'],
    details: [
      'The script completes commands, options, and the names of the running supervisor, for onevisor ' +
        'and supervisorctl. It asks the supervisor at each Tab, for at most a second.',
      'bash: add `source <(onevisor completion bash)` to ~/.bashrc. zsh: add the same line with zsh ' +
        'to ~/.zshrc, after compinit. fish: `onevisor completion fish ' +
        '>~/.config/fish/completions/onevisor.fish`.',
    ],
    examples: [{ line: 'onevisor completion bash >onevisor.bash', effect: 'into a file' }],
    exitCodes: [[2, 'there is no script for that shell']],
  },
];

/** Options of the commands that print something made from the configuration. */
const readingOptions: readonly OptionSpec[] = [
  { names: ['--static'], help: 'look up nothing on this machine: users, directories, includes, commands' },
  { names: ['-c', '--configuration'], value: 'FILE', valueKind: 'file', help: 'configuration file' },
  { names: ['--container'], help: 'with the defaults of a container' },
];

/** Exit code of these commands. */
const BAD_CONFIGURATION = [2, 'the configuration has an error, or the command line is wrong'] as const;

/** Commands that ask no supervisor, and are no frozen words: they came later. */
const toolCommands: readonly CommandSpec[] = [
  {
    name: 'grafana',
    kind: 'tool',
    group: 'prepare',
    summary: 'Print a Grafana dashboard for a configuration',
    usage: ['grafana [--static] [-c FILE] [--container]'],
    takes: [],
    options: readingOptions,
    details: [
      'Prints JSON, which `Dashboards > New > Import` of Grafana takes. It shows /metrics. Memory limits, health and ' +
        'readiness are shown only if a program of the configuration has them.',
    ],
    examples: [{ line: 'onevisor grafana >dashboard.json', effect: 'for the configuration of this container' }],
    exitCodes: [BAD_CONFIGURATION],
  },
  {
    name: 'alerts',
    kind: 'tool',
    group: 'prepare',
    summary: 'Print alert rules of Prometheus for a configuration',
    usage: ['alerts [--static] [-c FILE] [--container]'],
    takes: [],
    options: readingOptions,
    details: [
      'Prints YAML for `rule_files` of Prometheus. Memory limits, health and readiness have rules only if a program ' +
        'of the configuration has them. Programs that run once or by a schedule may start often.',
    ],
    examples: [{ line: 'onevisor alerts >onevisor.rules.yml', effect: 'for the configuration of this container' }],
    exitCodes: [BAD_CONFIGURATION],
  },
];

/** All commands, in the order of `--help` within each group. */
export const commandSpecs: readonly CommandSpec[] = [...clientCommands, ...frozenCommands, ...toolCommands];

const byName: ReadonlyMap<string, CommandSpec> = new Map(commandSpecs.map((spec) => [spec.name, spec]));

/** Finds a command by its name. */
export function findCommand(name: string): CommandSpec | null {
  return byName.get(name) ?? null;
}

/** The words that always are a command of ours, in the order of the table. */
export const frozenWords: readonly string[] = frozenCommands.map(({ name }) => name);

/** True for a command that asks a running supervisor, and is a command of `onevisor` itself. */
export function isClientCommand(name: string): boolean {
  return byName.get(name)?.kind === 'client';
}

/** The commands that can be typed after `onevisor`. */
export const typedCommands: readonly CommandSpec[] = commandSpecs.filter(({ kind }) => kind !== 'shell');
