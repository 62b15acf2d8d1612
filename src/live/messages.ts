/** Messages of the stream as text (server-sent events), and the names of processes in them. Pure. */
import { formatNamespec, parseNamespec } from '../core/namespec.ts';

/** Kinds of messages. */
export type MessageKind = 'hello' | 'snapshot' | 'delta' | 'lines' | 'usage' | 'dropped' | 'reset' | 'ping';

/** Returns the text before the data. The data must be JSON, which has no newlines, and {@link MESSAGE_END} follows. */
export function messageHead(kind: MessageKind, id: string | null): string {
  return `${id === null ? '' : `id: ${id}\n`}event: ${kind}\ndata: `;
}

/** The text after the data. */
export const MESSAGE_END = '\n\n';

/** Formats a message without an id. */
export function formatMessage(kind: MessageKind, data: unknown): string {
  return messageHead(kind, null) + JSON.stringify(data) + MESSAGE_END;
}

/** Returns the name that clients see for a namespec: `web` for `web:web`, otherwise `group:name`. */
export function displayName(id: string): string {
  const { group, process: name } = parseNamespec(id);
  return name === null ? id : formatNamespec(group, name);
}

/** Returns an object with the display name in place of the namespec in its member `name`. */
export function withDisplayName<T extends object>(struct: T): T {
  const { name } = struct as { readonly name?: unknown };
  return typeof name === 'string' ? { ...struct, name: displayName(name) } : struct;
}
