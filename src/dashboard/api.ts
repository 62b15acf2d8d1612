/** Requests to the JSON API. All addresses are relative, so that the page works below any path. */
import type { JsonValue, Struct } from './messages.ts';

/** An answer with an error. */
export class ApiError extends Error {
  readonly status: number;
  /** Short word for programs, such as `bad_name`. */
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** A change that the supervisor carries out. */
export interface Change {
  readonly id: string;
  readonly action: string;
  readonly names: readonly string[];
  readonly status: 'running' | 'done' | 'failed';
  readonly results: ReadonlyArray<{ readonly name: string; readonly ok: boolean; readonly text: string }>;
  readonly error?: string;
}

/** Parameters of a query. An array repeats its parameter. Undefined and null are left out. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>;

/** Seconds that one request waits for a change. */
const WAIT_SECONDS = 20;

/** Returns the relative address of a path of the API. */
export function apiUrl(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined) continue;
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value]) params.append(name, String(one));
  }
  const text = params.toString();
  return `api/v1/${path}${text === '' ? '' : `?${text}`}`;
}

/** Asks for a JSON answer. Throws {@link ApiError}. */
export async function getJson<T = Struct>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  return readAnswer<T>(await fetch(apiUrl(path, query), signal === undefined ? {} : { signal }));
}

/** Sends a change with the header that other sites cannot send. Throws {@link ApiError}. */
export async function postJson<T = Struct>(path: string, body: JsonValue = {}): Promise<T> {
  const answer = await fetch(apiUrl(path), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Onevisor': '1' },
    body: JSON.stringify(body),
  });
  return readAnswer<T>(answer);
}

/** Requests a change and waits for its end. */
export async function runChange(path: string, body: JsonValue = {}): Promise<Change> {
  let change = await postJson<Change>(path, body);
  while (change.status === 'running')
    change = await getJson<Change>(`changes/${encodeURIComponent(change.id)}/wait`, { timeout: WAIT_SECONDS });
  return change;
}

async function readAnswer<T>(answer: Response): Promise<T> {
  const text = await answer.text();
  if (answer.ok) return JSON.parse(text) as T;
  const { code, message } = readError(text);
  throw new ApiError(answer.status, code, message === '' ? `${answer.status} ${answer.statusText}` : message);
}

/** Reads the error of an answer. A proxy in between may answer with anything else. */
function readError(text: string): { readonly code: string; readonly message: string } {
  try {
    const { error } = JSON.parse(text) as { readonly error?: { readonly code?: unknown; readonly message?: unknown } };
    const wordOf = (value: unknown): string => (typeof value === 'string' ? value : '');
    return { code: wordOf(error?.code), message: wordOf(error?.message) };
  } catch {
    return { code: '', message: '' };
  }
}
