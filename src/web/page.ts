/**
 * The HTML of the pages. Pure. Every text from outside is escaped. The pages work without scripts, and their links are
 * relative, so that they work below any path of a proxy.
 */
import type { ProcessStateName, SupervisorStateName } from '../core/states.ts';
import type { StreamName } from '../core/stream-name.ts';
import { html, Markup } from './html.ts';
import { STYLE } from './style.ts';

/** One process in the table. */
export interface ProcessRow {
  /** Name as in supervisorctl: `web`, or `group:web`. */
  readonly name: string;
  readonly state: ProcessStateName;
  readonly description: string;
  /** True after several unexpected restarts within a short time. */
  readonly isFlapping: boolean;
  /** True if stderr has a log of its own. */
  readonly hasStderr: boolean;
}

/** Result of an action. */
export interface ActionResult {
  readonly text: string;
  readonly isError: boolean;
}

/** Values that every page has. */
export interface PageHeader {
  readonly identification: string;
  readonly version: string;
  /** Token in every form. A request without the token changes nothing. */
  readonly token: string;
}

/** The table of processes. */
export interface StatusPage extends PageHeader {
  readonly supervisorState: SupervisorStateName;
  readonly processes: readonly ProcessRow[];
  readonly outcome: ActionResult | null;
  /** False for a client that may only read: the page has no buttons then. */
  readonly canChange: boolean;
  /** Time at which the page was made, as text. */
  readonly time: string;
}

/** The end of a log. */
export interface TailPage extends PageHeader {
  readonly name: string;
  readonly stream: StreamName;
  readonly hasStderr: boolean;
  /** Requested number of bytes. */
  readonly limit: number;
  /** Null if there is no log to show; `reason` is the explanation then. */
  readonly text: string | null;
  readonly reason: string;
}

/** The request of a form: an action such as `restartall`, or `stop` and a name. */
export interface ActionRequest {
  readonly action: string;
  readonly name: string | null;
}

const TONES: Readonly<Record<ProcessStateName, string>> = {
  RUNNING: 'good',
  STARTING: 'busy',
  BACKOFF: 'busy',
  STOPPING: 'busy',
  STOPPED: '',
  EXITED: '',
  FATAL: 'bad',
  UNKNOWN: 'bad',
};

/**
 * Actions in each state. compat: those of Supervisor's page. Additions: a start can be cancelled, and a stopping
 * process can be killed.
 */
const OFFERS: Readonly<Record<ProcessStateName, ReadonlyArray<readonly [action: string, label: string]>>> = {
  RUNNING: [
    ['restart', 'Restart'],
    ['stop', 'Stop'],
  ],
  STARTING: [['stop', 'Stop']],
  BACKOFF: [['stop', 'Stop']],
  STOPPING: [['stop', 'Kill']],
  STOPPED: [['start', 'Start']],
  EXITED: [['start', 'Start']],
  FATAL: [['start', 'Start']],
  UNKNOWN: [],
};

const VERBS: Readonly<Record<string, string>> = {
  start: 'Start',
  stop: 'Stop',
  restart: 'Restart',
  clearlog: 'Clear the log of',
  restartall: 'Restart all processes',
  stopall: 'Stop all processes',
};

const ACTION = 'Action';
/** Columns of the table of processes. */
const COLUMNS = ['State', 'Name', 'Description', ACTION, 'Logs'];

const ALL_BUTTONS = html`<button name="do" value="restartall">Restart all</button>
<button name="do" value="stopall">Stop all</button>`;
const FORM_END = html`</form>`;

/** Sizes of a tail to choose from. */
const LIMITS = [4096, 65_536, 1_048_576];

/** Formats the table of processes. */
export function formatStatusPage(page: StatusPage): string {
  const { processes, outcome, supervisorState, time, canChange } = page;
  const running = processes.filter(({ state }) => state === 'RUNNING').length;
  const summary = `${running} of ${processes.length} running`;
  const state = supervisorState === 'RUNNING' ? '' : `, the supervisor is in state ${supervisorState}`;
  const columns = COLUMNS.filter((column) => canChange || column !== ACTION);
  return document(
    page,
    page.identification,
    html`
${canChange && html`<form method="post" action="index.html"><input type="hidden" name="token" value="${page.token}">`}
<header><h1>${page.identification}</h1><p>${summary}${state}</p>
<div class="bar"><a class="button" href="index.html">Refresh</a>
${canChange && ALL_BUTTONS}</div></header>
<main>${outcome !== null && html`<p class="note${outcome.isError && ' bad'}" role="status">${outcome.text}</p>`}
<div class="card">${
      processes.length === 0
        ? html`<p class="empty">No programs are configured.</p>`
        : html`<table>
<thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${processes.map((row) => formatRow(row, canChange))}</tbody></table>`
    }</div></main>
${canChange && FORM_END}
<footer>${time} · <a href="mainlogtail" target="_blank" rel="noopener">Log of the supervisor</a> ·
onevisor, as Supervisor ${page.version}</footer>`,
  );
}

function formatRow({ name, state, description, isFlapping, hasStderr }: ProcessRow, canChange: boolean): Markup {
  const path = encodeURIComponent(name);
  const button = (action: string, label: string): Markup =>
    html`<button name="do" value="${action} ${name}" title="${label} ${name}">${label}</button>`;
  const tail = (stream: StreamName, below: string): Markup =>
    html`<a href="logtail/${path}${below}" target="_blank" rel="noopener">${stream}</a>`;
  const flapping = isFlapping && html` <span class="state busy">flapping</span>`;
  const buttons = [...OFFERS[state].map(([action, label]) => button(action, label)), button('clearlog', 'Clear log')];
  return html`<tr class="row">
<td class="status"><span class="state ${TONES[state]}">${state}</span>${flapping}</td>
<td class="name"><a href="tail.html?processname=${path}">${name}</a></td>
<td class="what">${description}</td>
${canChange && html`<td class="do"><div class="acts">${buttons}</div></td>`}
<td class="links">Tail -f ${tail('stdout', '')}${hasStderr && html` · ${tail('stderr', '/stderr')}`}</td>
</tr>`;
}

/** Formats the question that a link of Supervisor's page leads to, before its action. Only a form starts an action. */
export function formatConfirmPage(page: PageHeader, { action, name }: ActionRequest): string {
  const verb = VERBS[action] ?? action;
  const what = name === null ? verb : `${verb} ${name}`;
  const value = name === null ? action : `${action} ${name}`;
  return document(
    page,
    what,
    html`<header><h1>${page.identification}</h1></header>
<main><div class="card pad"><p>${what}?</p>
<form method="post" action="index.html" class="bar"><input type="hidden" name="token" value="${page.token}">
<button class="strong" name="do" value="${value}">${verb}</button>
<a class="button" href="index.html">Cancel</a></form></div></main>`,
  );
}

/** Formats the end of a log. */
export function formatTailPage(page: TailPage): string {
  const { name, stream, hasStderr, limit } = page;
  const path = encodeURIComponent(name);
  const other: StreamName = stream === 'stdout' ? 'stderr' : 'stdout';
  const link = (toStream: StreamName, toLimit: number, label: string): Markup => {
    const query = html`processname=${path}&amp;stream=${toStream}&amp;limit=${toLimit}`;
    return html`<a class="button" href="tail.html?${query}">${label}</a>`;
  };
  const sizes = LIMITS.filter((size) => size !== limit).map((size) => link(stream, size, formatSize(size)));
  return document(
    page,
    `${name}: ${stream}`,
    html`<header><h1>${name}</h1><p>${stream}, the last ${formatSize(limit)}</p>
<div class="bar">${link(stream, limit, 'Refresh')}${hasStderr && link(other, limit, other)}${sizes}
<a class="button" href="logtail/${path}${stream === 'stderr' && '/stderr'}">Tail -f</a>
<a class="button" href="index.html">Back</a></div></header>
<main><div class="card">${formatTail(page)}</div></main>`,
  );
}

function formatTail({ text, reason }: TailPage): Markup {
  if (text === null) return html`<p class="empty">${reason}</p>`;
  return text === '' ? html`<p class="empty">The log is empty.</p>` : html`<pre>${text}</pre>`;
}

/** Formats the page of an error. */
export function formatProblemPage(page: Pick<PageHeader, 'identification' | 'version'>, text: string): string {
  return document(
    page,
    page.identification,
    html`<header><h1>${page.identification}</h1></header>
<main><p class="note bad" role="alert">${text}</p><p><a class="button" href="index.html">Back</a></p></main>`,
  );
}

function document({ identification }: Pick<PageHeader, 'identification'>, title: string, body: Markup): string {
  const fullTitle = title === identification ? title : `${title} - ${identification}`;
  return html`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>${fullTitle}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<style>${new Markup(STYLE)}</style></head>
<body>${body}</body></html>
`.text;
}

function formatSize(bytes: number): string {
  if (bytes >= 1_048_576) return `${bytes / 1_048_576} MiB`;
  return bytes >= 1024 ? `${Math.round(bytes / 1024)} KiB` : `${bytes} bytes`;
}
