/** A search in the log files on the server. Its answer comes line by line, so that hits are shown while it goes on. */
import { apiUrl } from '../api.ts';

/** A line of a file. */
export interface FileHit {
  readonly file: string;
  readonly offset: number;
  readonly text: string;
}

/** A message of the answer. */
export type FileMessage =
  | { readonly hit: FileHit }
  | { readonly progress: { readonly file: string; readonly bytes: number; readonly size: number } }
  | { readonly done: { readonly hits: number; readonly capped: boolean } };

/** A wanted search. */
export interface FileQuery {
  readonly name: string;
  readonly stream: string;
  readonly grep: string;
  readonly regex: true;
}

/** Maximum number of hits. */
export const MAX_HITS = 500;

/** Runs a search. Calls `take` with the messages that have come together. Throws if the server refuses. */
export async function searchFiles(
  query: FileQuery,
  signal: AbortSignal,
  take: (messages: readonly FileMessage[]) => void,
): Promise<void> {
  const answer = await fetch(apiUrl('logs/files', { ...query, limit: MAX_HITS }), { signal });
  if (!answer.ok || answer.body === null) throw new Error(await reasonOf(answer));
  const decoder = new TextDecoder();
  let rest = '';
  for (const reader = answer.body.getReader(); ;) {
    const { done, value } = await reader.read();
    const lines = (rest + decoder.decode(value, { stream: !done })).split('\n');
    rest = lines.pop() ?? '';
    take(lines.filter((line) => line !== '').map((line) => JSON.parse(line) as FileMessage));
    if (done) return;
  }
}

async function reasonOf(answer: Response): Promise<string> {
  const text = await answer.text();
  try {
    return (JSON.parse(text) as { readonly error: { readonly message: string } }).error.message;
  } catch {
    return `${answer.status} ${answer.statusText}`;
  }
}
