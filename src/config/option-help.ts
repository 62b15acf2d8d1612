/** The help of one option or variable: its row of the table, for `onevisor help NAME`. Pure. */
import { switches, variableOf } from './environment.ts';
import type { Option } from './option.ts';
import { sectionKinds } from './options.ts';
import { describeContainerDefault, describeDefault } from './reference.ts';

/** An option with everything that the tables say about it. */
interface OptionRow {
  readonly name: string;
  readonly option: Option<unknown>;
  /** Titles of the sections that have it. */
  readonly sections: string[];
  readonly variables: string[];
}

/** Returns the rows of the tables, each once: listeners and FastCGI programs share those of a program. */
function listRows(): readonly OptionRow[] {
  const rows = new Map<Option<unknown>, OptionRow>();
  for (const { title, start, tables } of sectionKinds) {
    for (const [name, option] of tables.flatMap((table) => Object.entries(table))) {
      const row = rows.get(option) ?? { name, option, sections: [], variables: [] };
      rows.set(option, row);
      row.sections.push(`[${title}]`);
      const variable = variableOf(start, name);
      if (variable !== null) row.variables.push(variable);
    }
  }
  return [...rows.values()];
}

/** Returns the names of all options and variables, for suggestions. */
export function listOptionTopics(): readonly string[] {
  const names = listRows().flatMap(({ name, option }) => [name, ...option.aliases]);
  return [...new Set([...names, ...Object.keys(switches)])];
}

/** Returns a line for each fact about an option or a variable; a block for each table that has it. Empty for none. */
export function describeTopic(topic: string): ReadonlyArray<ReadonlyArray<readonly [string, string]>> {
  const upper = topic.toUpperCase();
  const meaning = Object.entries(switches).find(([name]) => name === upper)?.[1];
  if (meaning !== undefined) return [[[upper, meaning]]];
  const lower = topic.toLowerCase();
  return listRows()
    .filter(({ name, option }) => name === lower || option.aliases.includes(lower))
    .map(describeRow);
}

function describeRow({ name, option, sections, variables }: OptionRow): ReadonlyArray<readonly [string, string]> {
  const fallback = option.isRequired ? 'none; the option is required' : (describeDefault(option) ?? 'none');
  const lines: Array<readonly [string, string]> = [
    [name, option.doc],
    ['sections', sections.join(' ')],
    ['type', option.type.name.replaceAll('\\|', '|')],
    ['default', fallback],
  ];
  if (option.containerDefault !== undefined) lines.push(['in a container', describeContainerDefault(option)]);
  if (option.aliases.length > 0) lines.push(['other names', option.aliases.join(', ')]);
  if (variables.length > 0) lines.push(['variable', variables.join(' ')]);
  if (option.isAddition) lines.push(['', 'Supervisor does not have this option.']);
  if (option.isLive) lines.push(['', '`onevisor update` applies a change without a restart.']);
  return lines;
}
