/**
 * The style sheet of the pages, for wide and narrow screens, light and dark. Each page contains this sheet, and the
 * Content-Security-Policy of the pages allows no other.
 */
import { createHash } from 'node:crypto';

/** The style sheet. */
export const STYLE = `
:root { color-scheme: light dark; --paper: #f6f7f9; --card: #fff; --ink: #1d2430; --soft: #5d6878; --line: #dfe3ea;
  --accent: #1f5fbf; --good: #14713a; --good-back: #dff3e6; --busy: #8a5200; --busy-back: #fdf0d5; --bad: #b3202a;
  --bad-back: #fde4e4; --idle-back: #e8ebf0; }
@media (prefers-color-scheme: dark) { :root { --paper: #12161c; --card: #1a2029; --ink: #e4e8ee; --soft: #97a3b4;
  --line: #2b3440; --accent: #7db0ff; --good: #7fdba0; --good-back: #163824; --busy: #f2c069; --busy-back: #3d2e12;
  --bad: #ff9a9a; --bad-back: #45191c; --idle-back: #28303b; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main, header, footer { max-width: 72rem; margin: 0 auto; padding: 0 1.25rem; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; padding-top: 1.5rem;
  padding-bottom: 1rem; }
h1 { font-size: 1.3rem; margin: 0; overflow-wrap: anywhere; }
header p { margin: 0; color: var(--soft); flex: 1 1 12rem; }
a { color: var(--accent); text-underline-offset: .15em; }
.bar, .acts { display: flex; flex-wrap: wrap; gap: .4rem; align-items: center; }
button, .button { font: inherit; font-size: .88rem; line-height: 1.3; padding: .32rem .7rem;
  border: 1px solid var(--line); border-radius: .45rem; background: var(--card); color: var(--ink); cursor: pointer;
  text-decoration: none; white-space: nowrap; }
button:hover, .button:hover { border-color: var(--accent); color: var(--accent); }
button:focus-visible, a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
button.strong { background: var(--accent); border-color: var(--accent); color: var(--card); }
.note { margin: 0 0 1rem; padding: .6rem .9rem; border-radius: .5rem; background: var(--good-back);
  color: var(--good); overflow-wrap: anywhere; }
.note.bad { background: var(--bad-back); color: var(--bad); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .7rem; }
.pad { padding: 1.25rem; }
table { width: 100%; border-collapse: collapse; }
th { text-align: left; font-size: .78rem; font-weight: 600; color: var(--soft); padding: .6rem .9rem; }
td { padding: .55rem .9rem; border-top: 1px solid var(--line); vertical-align: middle; }
td.name { font-weight: 600; overflow-wrap: anywhere; }
td.do { width: 1%; }
td.do .acts { flex-wrap: nowrap; }
td.what { color: var(--soft); font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.state { display: inline-block; min-width: 5.6rem; text-align: center; font-size: .76rem; font-weight: 700;
  letter-spacing: .03em; padding: .18rem .5rem; border-radius: 1rem; background: var(--idle-back);
  color: var(--soft); }
.state.good { background: var(--good-back); color: var(--good); }
.state.busy { background: var(--busy-back); color: var(--busy); }
.state.bad { background: var(--bad-back); color: var(--bad); }
.links { font-size: .84rem; white-space: nowrap; }
pre { margin: 0; padding: 1rem; overflow-x: auto;
  font: 13px/1.45 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre-wrap;
  overflow-wrap: anywhere; }
.empty { color: var(--soft); padding: 2rem; text-align: center; }
footer { color: var(--soft); font-size: .84rem; padding-top: 1rem; padding-bottom: 2rem; }
@media (max-width: 46rem) {
  thead { display: none; }
  table, tbody, tr { display: block; }
  tr { padding: .8rem .9rem; border-top: 1px solid var(--line); }
  tr:first-child { border-top: 0; }
  td { display: block; padding: 0; border: 0; }
  tr.row { display: grid; grid-template-columns: 1fr auto; gap: .3rem .8rem; align-items: center; }
  td.name { grid-column: 1; grid-row: 1; }
  td.status { grid-column: 2; grid-row: 1; }
  td.what, td.do, td.links { grid-column: 1 / -1; }
  td.do { width: auto; }
  td.do .acts { flex-wrap: wrap; }
  button, .button { padding: .45rem .8rem; }
}
`;

/**
 * The Content-Security-Policy of the pages: no resources, no scripts, forms to our own server only, and no frames.
 */
export function contentPolicy(): string {
  policy ??= [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return policy;
}

let policy: string | undefined;
