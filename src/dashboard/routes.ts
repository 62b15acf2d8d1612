/** The views of the page and their addresses after `#`. Pure, except for the signal of the route. */
import { signal } from '@preact/signals';

/** A view with its parameters. */
export type Route =
  | { readonly view: 'overview' }
  | { readonly view: 'program'; readonly name: string }
  | { readonly view: 'logs'; readonly query: URLSearchParams }
  | { readonly view: 'graph' }
  | { readonly view: 'config' }
  | { readonly view: 'peers' };

/** The view that is shown. */
export const route = signal<Route>({ view: 'overview' });

/** Reads an address such as `#/p/web`. An unknown one is the overview. */
export function parseRoute(hash: string): Route {
  const text = hash.replace(/^#?\/?/, '');
  const mark = text.indexOf('?');
  const path = mark === -1 ? text : text.slice(0, mark);
  const query = new URLSearchParams(mark === -1 ? '' : text.slice(mark + 1));
  if (path.startsWith('p/')) return { view: 'program', name: decoded(path.slice(2)) };
  switch (path) {
    case 'logs':
      return { view: 'logs', query };
    case 'graph':
    case 'config':
    case 'peers':
      return { view: path };
    default:
      return { view: 'overview' };
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Address of the view of a program. */
export function programHref(name: string): string {
  return `#/p/${encodeURIComponent(name)}`;
}

/** Address of the logs of programs, and of a span of time in milliseconds since 1970. */
export function logsHref(
  names: readonly string[],
  span: { readonly since?: number; readonly until?: number } = {},
): string {
  const query = new URLSearchParams(names.map((name): [string, string] => ['names', name]));
  if (span.since !== undefined) query.set('since', String(span.since));
  if (span.until !== undefined) query.set('until', String(span.until));
  return `#/logs?${query}`;
}
