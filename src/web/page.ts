/**
 * The pages: from what there is to say to HTML. Pure; every text that comes from outside is text in them, never markup.
 * They work without scripts, and have links that hold below any path of a proxy.
 */
import type { ProcessStateName, SupervisorStateName } from '../core/states.ts';
import { html, Markup } from './html.ts';
import { STYLE } from './style.ts';

/** One process in the table. */
export interface ProcessRow {
  /** As supervisorctl calls it: `web`, or `group:web`. */
  readonly name: string;
  readonly state: ProcessStateName;
  readonly description: string;
  /** Whether its stderr has a log of its own. */
  readonly hasStderr: boolean;
}

/** What came of an action. */
export interface ActionResult {
  readonly text: string;
  readonly isError: boolean;
}

/** What stands on every page. */
export interface PageHeader {
  readonly identification: string;
  readonly version: string;
  /** Goes with every form; who does not know it cannot change anything. */
  readonly token: string;
}

/** The table of processes. */
export interface StatusPage extends PageHeader {
  readonly supervisorState: SupervisorStateName;
  readonly processes: readonly ProcessRow[];
  readonly outcome: ActionResult | null;
  /** Time of the page, for people. */
  readonly time: string;
}

/** The end of a log. */
export interface TailPage extends PageHeader {
  readonly name: string;
  readonly stream: 'stdout' | 'stderr';
  readonly hasStderr: boolean;
  /** Bytes that were asked for. */
  readonly limit: number;
  /** Null where there is no log to show; `reason` says why then. */
  readonly text: string | null;
  readonly reason: string;
}

/** What a form asks for: `restartall`, or `stop` and a name. */
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
 * What can be done in each state. compat: what Supervisor's page offers; a start that is under way can be called off
 * besides, and a stop made a kill.
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

/** Sizes of a tail that are offered. */
const LIMITS = [4096, 65_536, 1_048_576];

/** The first page. */
export function formatStatusPage(page: StatusPage): string {
  const { processes, outcome, supervisorState, time } = page;
  const running = processes.filter(({ state }) => state === 'RUNNING').length;
  const summary = `${running} of ${processes.length} running${supervisorState === 'RUNNING' ? '' : `, the supervisor is in state ${supervisorState}`}`;
  return document(
    page,
    page.identification,
    html`
<form method="post" action="index.html"><input type="hidden" name="token" value="${page.token}">
<header><h1>${page.identification}</h1><p>${summary}</p>
<div class="bar"><a class="button" href="index.html">Refresh</a><button name="do" value="restartall">Restart all</button><button name="do" value="stopall">Stop all</button></div></header>
<main>${outcome !== null && html`<p class="note${outcome.isError && ' bad'}" role="status">${outcome.text}</p>`}
<div class="card">${
      processes.length === 0
        ? html`<p class="empty">No programs are configured.</p>`
        : html`<table>
<thead><tr><th scope="col">State</th><th scope="col">Name</th><th scope="col">Description</th><th scope="col">Action</th><th scope="col">Logs</th></tr></thead>
<tbody>${processes.map(formatRow)}</tbody></table>`
    }</div></main>
</form>
<footer>${time} · <a href="mainlogtail" target="_blank" rel="noopener">Log of the supervisor</a> · onevisor, as Supervisor ${page.version}</footer>`,
  );
}

function formatRow({ name, state, description, hasStderr }: ProcessRow): Markup {
  const path = encodeURIComponent(name);
  const button = (action: string, label: string): Markup =>
    html`<button name="do" value="${action} ${name}" title="${label} ${name}">${label}</button>`;
  return html`<tr class="row">
<td class="status"><span class="state ${TONES[state]}">${state}</span></td>
<td class="name"><a href="tail.html?processname=${path}">${name}</a></td>
<td class="what">${description}</td>
<td class="do"><div class="acts">${OFFERS[state].map(([action, label]) => button(action, label))}${button('clearlog', 'Clear log')}</div></td>
<td class="links">Tail -f <a href="logtail/${path}" target="_blank" rel="noopener">stdout</a>${hasStderr && html` · <a href="logtail/${path}/stderr" target="_blank" rel="noopener">stderr</a>`}</td>
</tr>`;
}

/** A question before what an old link asks for: only a form changes anything. */
export function formatConfirmPage(page: PageHeader, { action, name }: ActionRequest): string {
  const verb = VERBS[action] ?? action;
  const what = name === null ? verb : `${verb} ${name}`;
  return document(
    page,
    what,
    html`<header><h1>${page.identification}</h1></header>
<main><div class="card pad"><p>${what}?</p>
<form method="post" action="index.html" class="bar"><input type="hidden" name="token" value="${page.token}">
<button class="strong" name="do" value="${name === null ? action : `${action} ${name}`}">${verb}</button><a class="button" href="index.html">Cancel</a></form></div></main>`,
  );
}

/** The end of a log, as text. */
export function formatTailPage(page: TailPage): string {
  const { name, stream, hasStderr, limit, text, reason } = page;
  const link = (toStream: string, toLimit: number, label: string): Markup =>
    html`<a class="button" href="tail.html?processname=${encodeURIComponent(name)}&amp;stream=${toStream}&amp;limit=${toLimit}">${label}</a>`;
  return document(
    page,
    `${name}: ${stream}`,
    html`<header><h1>${name}</h1><p>${stream}, the last ${formatSize(limit)}</p>
<div class="bar">${link(stream, limit, 'Refresh')}${hasStderr && link(stream === 'stdout' ? 'stderr' : 'stdout', limit, stream === 'stdout' ? 'stderr' : 'stdout')}${LIMITS.filter((other) => other !== limit).map((other) => link(stream, other, formatSize(other)))}<a class="button" href="logtail/${encodeURIComponent(name)}${stream === 'stderr' && '/stderr'}">Tail -f</a><a class="button" href="index.html">Back</a></div></header>
<main><div class="card">${text === null ? html`<p class="empty">${reason}</p>` : text === '' ? html`<p class="empty">The log is empty.</p>` : html`<pre>${text}</pre>`}</div></main>`,
  );
}

/** A page that says why there is no other. */
export function formatProblemPage(page: Pick<PageHeader, 'identification' | 'version'>, text: string): string {
  return document(
    page,
    page.identification,
    html`<header><h1>${page.identification}</h1></header>
<main><p class="note bad" role="alert">${text}</p><p><a class="button" href="index.html">Back</a></p></main>`,
  );
}

function document({ identification }: Pick<PageHeader, 'identification'>, title: string, body: Markup): string {
  return html`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>${title === identification ? title : `${title} - ${identification}`}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"><style>${new Markup(STYLE)}</style></head>
<body>${body}</body></html>
`.text;
}

function formatSize(bytes: number): string {
  return bytes >= 1_048_576
    ? `${bytes / 1_048_576} MiB`
    : bytes >= 1024
      ? `${Math.round(bytes / 1024)} KiB`
      : `${bytes} bytes`;
}
