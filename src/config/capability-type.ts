/** Type of the option `capabilities`. Pure. */
import { capabilityNames, type CapabilityRule, formatCapabilityRule } from '../core/capabilities.ts';
import { dataType, reject } from './datatype.ts';
import { wordList } from './datatypes.ts';
import { formatSuggestion } from './nearest.ts';

const FORM = 'capabilities, for example drop-all,+net_bind_service or -net_raw';

/** Returns ` (did you mean net_bind_service?)`, also for the first letters of a name; otherwise an example. */
function suggestCapability(word: string): string {
  const [name, ...others] = capabilityNames.filter((known) => known.startsWith(word));
  if (name !== undefined && others.length === 0) return ` (did you mean ${name}?)`;
  return formatSuggestion(word, capabilityNames) || ', for example net_bind_service; see capabilities(7)';
}

function readCapability(word: string): number {
  const name = word.toLowerCase().replace(/^cap_/, '');
  const number = capabilityNames.findIndex((known) => known === name);
  if (number === -1) reject(word, `the name of a capability${suggestCapability(name)}`);
  return number;
}

/** `drop-all,+net_bind_service`: names with or without CAP_, each with + or -. */
export const capabilityRule = dataType<CapabilityRule>(
  'drop-all, +name, -name',
  (value, context) => {
    const words = wordList.parse(value, context);
    if (words.length === 0) reject(value, FORM);
    const isAll = (word: string): boolean => word.toLowerCase() === 'drop-all';
    const read = (sign: string): number[] => {
      const numbers = words.filter((word) => word.startsWith(sign)).map((word) => readCapability(word.slice(1)));
      return [...new Set(numbers)].sort((a, b) => a - b);
    };
    const unknown = words.find((word) => !isAll(word) && !/^[+-]./.test(word));
    if (unknown !== undefined) reject(unknown, FORM);
    const rule = { dropsAll: words.some(isAll), added: read('+'), removed: read('-') };
    const both = rule.added.find((number) => rule.removed.includes(number));
    if (both !== undefined) reject(value, `one wish for ${capabilityNames[both]}: it has + and -`);
    return rule;
  },
  formatCapabilityRule,
);
