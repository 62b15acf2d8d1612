/** The text of `onevisor describe`: everything about a process, one fact a line. Pure. */
import { escapeControls } from '../core/shown-text.ts';
import type { XmlRpcStruct } from '../rpc/xmlrpc.ts';
import { formatAgo, formatBytes, formatLong, formatTime } from './amounts.ts';
import { booleanOf, listOf, numberOf, structOf, structsOf, textOf, textsOf } from './members.ts';
import { type ProcessStatus, readEnd, readinessOf, reasonOf, toneOf } from './process-status.ts';
import { pad } from '../logs/columns.ts';
import { cutEnd, paint, type Screen, symbolOf } from './screen.ts';
import { formatPlace } from './why.ts';

/** Number of runs that are shown. */
const SHOWN_RUNS = 5;
const LABEL_WIDTH = 12;

/** The last lines of one stream of one run, safe for a terminal. */
export interface RunLines {
  readonly title: string;
  readonly lines: readonly string[];
}

/** A fact with its label; null for a fact that this process does not have. */
export type Fact = readonly [label: string, text: string | null];

/** Formats the description. On a terminal, long lines are wrapped by the terminal, so that they can be copied. */
export function formatDescription(status: ProcessStatus, output: readonly RunLines[], screen: Screen): string[] {
  const tone = toneOf(status);
  return [
    `${paint(symbolOf(tone, screen), tone, screen)} ${paint(status.name, 'head', screen)}`,
    ...describeFacts(status).flatMap(([label, text]) =>
      text === null ? [] : [`${pad(label, LABEL_WIDTH, true)}: ${escapeControls(text)}`],
    ),
    ...formatTree(status, screen),
    ...formatRuns(status),
    ...output.flatMap(({ title, lines }) => ['', paint(title, 'head', screen), ...lines.map((line) => `  ${line}`)]),
  ];
}

/** Returns the facts of a process in their order, with the answer of `describeProcess` as its struct. */
export function describeFacts(status: ProcessStatus): Fact[] {
  const { struct } = status.info;
  return [
    ['State', formatState(status)],
    ['Why', reasonOf(status) || null],
    ['Readiness', readinessOf(status) || null],
    readyFact(status),
    ...healthFacts(status),
    ...configurationFacts(struct),
    ['Listens on', textsOf(struct, 'listens').join(', ') || null],
    ...dependencyFacts(struct),
    ['Next run', formatNextRun(status)],
    ...logFacts(struct),
    ['Started', status.startCause],
  ];
}

function formatState(status: ProcessStatus): string {
  const { info, lastEnd, nowMs, restarts, isFlapping } = status;
  const begin = info.pid === 0 ? (lastEnd?.atMs ?? null) : info.start * 1000;
  const since = begin === null ? '' : ` since ${formatTime(begin)} (${formatAgo(nowMs - begin)})`;
  const pid = info.pid === 0 ? '' : `, pid ${info.pid}`;
  const count = restarts === null ? '' : `, restarts: ${restarts}`;
  return `${info.statename}${since}${pid}${count}${isFlapping ? ', flapping' : ''}`;
}

/** Describes how the program reports its readiness. */
function readyFact({ info }: ProcessStatus): Fact {
  const readiness = structOf(info.struct, 'readiness');
  const values = ['ready_log', 'notification_fd', 'notify', 'ready_timeout'].flatMap((name) => {
    const value = textOf(readiness, name) ?? numberOf(readiness, name);
    return value === null ? [] : [`${name}=${value}`];
  });
  return ['Ready by', values.length === 0 ? null : values.join(', ')];
}

function healthFacts({ info, nowMs }: ProcessStatus): Fact[] {
  const check = structOf(info.struct, 'healthcheck');
  if (check === null) return [];
  const action = textOf(check, 'action');
  const rule =
    `every ${numberOf(check, 'interval') ?? '?'} s, at most ${numberOf(check, 'timeout') ?? '?'} s, ` +
    `unhealthy after ${numberOf(check, 'retries') ?? '?'} failures${action === 'none' ? '' : `, then ${action}`}` +
    formatExpectation(check);
  return [
    ['Check', `${textOf(check, 'check') ?? '?'} (${rule})`],
    ['Last check', lastCheck(structOf(info.struct, 'last_check'), nowMs)],
  ];
}

/** Formats further conditions of health: `; status 200-299; body with "ok"; healthy after 2 passed checks`. */
function formatExpectation(check: XmlRpcStruct): string {
  const [expect, body, successes] = [textOf(check, 'expect'), textOf(check, 'body'), numberOf(check, 'successes')];
  return [
    expect === null ? '' : `; status ${expect}`,
    body === null ? '' : `; body with "${body}"`,
    successes === null ? '' : `; healthy after ${successes} passed checks`,
  ].join('');
}

/** Describes the latest check: its result, its age, and what its command has written. */
function lastCheck(check: XmlRpcStruct | null, nowMs: number): string | null {
  if (check === null) return null;
  const failure = textOf(check, 'failure');
  const output = textOf(check, 'output');
  const said = output === null || output === failure ? '' : `: ${output}`;
  const age = formatAgo(nowMs - (numberOf(check, 'at') ?? nowMs));
  return `${failure === null ? 'passed' : `failed, ${failure}`} (${age})${said}`;
}

function configurationFacts(struct: XmlRpcStruct): Fact[] {
  const configured = structOf(struct, 'configured');
  const inherited = structOf(struct, 'inherited');
  const policy = structOf(struct, 'policy');
  const limits = structOf(struct, 'limits');
  const shownLimits = Object.keys(limits ?? {}).map((name) => {
    const bytes = numberOf(limits, name);
    return `${name} ${bytes === null ? (textOf(limits, name) ?? '?') : formatBytes(bytes)}`;
  });
  const zone = textOf(policy, 'tz');
  const cron = textOf(policy, 'cron');
  return [
    ['Configured', formatPlace(configured)],
    ['Command', textOf(configured, 'command')],
    ['User', textOf(configured, 'user') ?? inheritedUser(inherited)],
    ['Directory', textOf(configured, 'directory') ?? inheritedDirectory(inherited)],
    ['Environment', formatEnvironment(structOf(struct, 'environment'))],
    ['Sockets', formatSockets(configured)],
    ['Restarts', policy === null ? null : formatPolicy(policy)],
    ['Reload', textOf(struct, 'reload')],
    ['Schedule', cron === null ? null : `${cron}${zone === null ? '' : ` (${zone})`}`],
    ['Watches', formatWatch(policy)],
    ['Limits', shownLimits.length === 0 ? null : shownLimits.join(', ')],
  ];
}

/** Formats the options that decide which variables the program gets: `environment_clear, environment_pass=PATH`. */
function formatEnvironment(rules: XmlRpcStruct | null): string | null {
  const texts = ['environment_clear', 'environment_pass', 'environment_file_expand', 'expand_file_variables'].flatMap(
    (name) => {
      const value = textOf(rules, name);
      if (value !== null) return [`${name}=${value}`];
      return booleanOf(rules, name) === true ? [name] : [];
    },
  );
  return texts.length === 0 ? null : texts.join('; ');
}

/** Formats the watched files: `/app/*.py, /etc/web.conf (then SIGHUP)`. */
function formatWatch(policy: XmlRpcStruct | null): string | null {
  const patterns = listOf(policy, 'restart_on_change').filter((pattern) => typeof pattern === 'string');
  if (patterns.length === 0) return null;
  return `${patterns.join(', ')} (then ${textOf(policy, 'signal_on_change') ?? 'a restart'})`;
}

function inheritedUser(inherited: XmlRpcStruct | null): string | null {
  const uid = numberOf(inherited, 'uid');
  return uid === null ? null : `${uid === 0 ? 'root' : `uid ${uid}`} (as the supervisor)`;
}

function inheritedDirectory(inherited: XmlRpcStruct | null): string | null {
  const directory = textOf(inherited, 'directory');
  return directory === null ? null : `${directory} (as the supervisor)`;
}

function formatSockets(configured: XmlRpcStruct | null): string | null {
  const listen = textOf(configured, 'listen');
  const isLazy = booleanOf(configured, 'listen_lazy') === true;
  return listen === null ? textOf(configured, 'socket') : `${listen}${isLazy ? ' (starts at a connection)' : ''}`;
}

function formatPolicy(policy: XmlRpcStruct): string {
  const names = ['autorestart', 'startsecs', 'startretries', 'exitcodes', 'exit_on_failure', 'exit_on_end'];
  const valueOf = (name: string): string | null => {
    const list = listOf(policy, name);
    if (list.length > 0) return list.map((value) => (typeof value === 'number' ? value : '?')).join(',');
    const plain = numberOf(policy, name) ?? booleanOf(policy, name);
    return plain === null ? textOf(policy, name) : `${plain}`;
  };
  return names
    .flatMap((name) => {
      const value = valueOf(name);
      return value === null ? [] : [`${name}=${value}`];
    })
    .join(', ');
}

function dependencyFacts(struct: XmlRpcStruct): Fact[] {
  const needed = structsOf(struct, 'depends_on').map((other) => {
    const conditions = textsOf(other, 'conditions').join(' or ');
    const state = textOf(other, 'state');
    const health = textOf(other, 'health');
    const now = state === null ? 'not configured any more' : `${state}${health === null ? '' : `, ${health}`}`;
    const follows = booleanOf(other, 'restart') === true ? ', restarted after it' : '';
    return `${textOf(other, 'name') ?? '?'} to be ${conditions}${follows} (${now})`;
  });
  const dependents = textsOf(struct, 'dependents');
  const notifications = textsOf(struct, 'notifications').map((name) => `notify:${name}`);
  return [
    ['Depends on', needed.length === 0 ? null : needed.join(', ')],
    ['Needed by', dependents.length === 0 ? null : dependents.join(', ')],
    ['Told about', notifications.length === 0 ? null : `by ${notifications.join(', ')}`],
  ];
}

function formatNextRun({ nextRunMs, nowMs }: ProcessStatus): string | null {
  if (nextRunMs === null) return null;
  return `${formatTime(nextRunMs)} (in ${formatLong(Math.max(0, nextRunMs - nowMs))})`;
}

function logFacts(struct: XmlRpcStruct): Fact[] {
  const targets = structOf(struct, 'log_targets');
  const targetOf = (stream: 'stdout' | 'stderr'): string | null => {
    const file = textOf(struct, `${stream}_logfile`);
    const target = textOf(targets, stream);
    if (target === null || target === file) return file ?? (targets === null ? null : 'in memory only');
    return file === null ? target : `${file} (${stream}_logfile=${target})`;
  };
  const isOne = struct['redirect_stderr'] === true;
  const files = structOf(struct, 'log_files');
  const multiline = textOf(struct, 'log_multiline');
  const shownOf = (stream: 'stdout' | 'stderr'): string | null => {
    const access = structOf(files, stream);
    const facts = ['mode', 'owner'].flatMap((name) => {
      const value = textOf(access, name);
      return value === null ? [] : [`${name} ${value}`];
    });
    return facts.length === 0 ? targetOf(stream) : `${targetOf(stream)}; ${facts.join(', ')}`;
  };
  return [
    ['Stdout', shownOf('stdout')],
    ['Stderr', isOne ? 'as stdout (redirect_stderr)' : shownOf('stderr')],
    ['Log directories', struct['logfile_mkdir'] === true ? 'made when missing (logfile_mkdir)' : null],
    ['Log records', multiline === null ? null : `begin at lines that match ${multiline}`],
  ];
}

/** One process of the tree of a program. */
interface TreeProcess {
  readonly pid: number;
  readonly parent: number;
  readonly text: string;
}

/** Formats the process tree, each process below its parent. */
function formatTree(status: ProcessStatus, screen: Screen): string[] {
  const lines = describeTree(status, screen);
  if (lines.length === 0) return [];
  const { usage } = status;
  const count = structsOf(status.info.struct, 'process_tree').length;
  const percent = usage?.cpuPercent ?? null;
  const sum = `${formatBytes(usage?.memory ?? 0)}${percent === null ? '' : `, ${percent}% of a processor`}`;
  return [`${pad('Processes', LABEL_WIDTH, true)}: ${count} (${sum})`, ...lines.map(indent)];
}

/** Returns a line for each process of the tree, below its parent. */
export function describeTree({ info }: ProcessStatus, screen: Pick<Screen, 'hasUnicode'>): string[] {
  const processes = structsOf(info.struct, 'process_tree').map((struct): TreeProcess => {
    const pid = numberOf(struct, 'pid') ?? 0;
    const memory = formatBytes(numberOf(struct, 'memory') ?? 0);
    const cpu = formatLong(numberOf(struct, 'cpu_ms') ?? 0);
    return {
      pid,
      parent: numberOf(struct, 'parent') ?? 0,
      text: `${pid} ${textOf(struct, 'name') ?? '?'} (${memory}, ${cpu} of processor time)`,
    };
  });
  // With one parent for each pid, the processes that can be reached are trees, whatever a server sends.
  const byPid = new Map(processes.map((one) => [one.pid, one]));
  const tree = [...byPid.values()];
  const roots = tree.filter(({ parent }) => !byPid.has(parent));
  return roots.flatMap((root) => [root.text, ...formatBranches(tree, root.pid, screen)]);
}

function indent(line: string): string {
  return `${' '.repeat(LABEL_WIDTH + 2)}${line}`;
}

/** Formats the processes below a process. */
function formatBranches(
  processes: readonly TreeProcess[],
  parent: number,
  screen: Pick<Screen, 'hasUnicode'>,
): string[] {
  const [fork, last, line] = screen.hasUnicode ? ['├─ ', '└─ ', '│  '] : ['|- ', '`- ', '|  '];
  const children = processes.filter((one) => one.parent === parent);
  return children.flatMap(({ pid, text }, index) => {
    const isLast = index === children.length - 1;
    const below = formatBranches(processes, pid, screen);
    return [`${isLast ? last : fork}${text}`, ...below.map((branch) => `${isLast ? '   ' : line}${branch}`)];
  });
}

/** Formats the latest runs that have ended, the latest first. */
function formatRuns({ info, nowMs }: ProcessStatus): string[] {
  const ended = structsOf(info.struct, 'runs').flatMap((run) => {
    const end = readEnd(structOf(run, 'end'));
    return end === null ? [] : [{ run, end }];
  });
  if (ended.length === 0) return [];
  const lines = ended
    .toReversed()
    .slice(0, SHOWN_RUNS)
    .map(({ run, end }) => {
      const pid = numberOf(run, 'pid');
      const began = textOf(structOf(run, 'start_cause'), 'text') ?? '?';
      const text = textOf(structOf(run, 'end'), 'text') ?? end.how;
      const who = pid === null ? '' : `pid ${pid}, `;
      const when = `${formatTime(end.atMs)} (${formatAgo(nowMs - end.atMs)})`;
      return `  ${when}: ${who}after ${formatLong(end.lastedMs)}: ${text}; started: ${began}`;
    });
  return ['', `Latest ends (${lines.length} of ${ended.length} kept):`, ...lines];
}

/** Cuts lines of output to the width of a terminal: they are there to be looked at. */
export function fitLines(lines: readonly string[], screen: Screen): string[] {
  return lines.map((line) => (screen.columns === null ? line : cutEnd(line, Math.max(10, screen.columns - 2), screen)));
}
