/** The reference of the API in Markdown, generated from its table. Pure. */
import type { ApiRow } from './row.ts';
import type { JsonSchema } from './schema.ts';

/** Formats all rows as a Markdown table. Optional parameters and members have brackets. */
export function formatApiReference(rows: readonly ApiRow[]): string {
  const lines = rows.map((row) => {
    const { method, path, role, summary } = row;
    return `| \`${method} ${path}\` | ${role} | ${parametersOf(row)} | ${summary} |`;
  });
  return `| request | role | parameters | meaning |\n| --- | --- | --- | --- |\n${lines.join('\n')}\n`;
}

function parametersOf({ query, body }: ApiRow): string {
  const names = Object.entries(query).map(([name, parameter]) => ('isOptional' in parameter ? `[${name}]` : name));
  return [...names, ...membersOf(body?.json)].map((name) => `\`${name}\``).join(' ');
}

/** Returns the members of a body. */
function membersOf(json: JsonSchema | undefined): string[] {
  const required = (json?.['required'] ?? []) as readonly string[];
  const properties = (json?.['properties'] ?? {}) as Readonly<Record<string, unknown>>;
  return Object.keys(properties).map((name) => (required.includes(name) ? name : `[${name}]`));
}
