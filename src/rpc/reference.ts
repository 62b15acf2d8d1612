/** The reference of the methods in Markdown, generated from their table. Pure. */
import type { Method, MethodTable } from './method.ts';

function formatSignature({ name, parameters }: Method): string {
  const [required, optional] = [
    parameters.filter(({ isOptional }) => isOptional !== true),
    parameters.filter(({ isOptional }) => isOptional === true),
  ];
  const list = required.map((parameter) => parameter.name).join(', ');
  const rest = optional.map((parameter) => parameter.name).join(', ');
  const brackets = rest === '' ? [] : [`[${rest}]`];
  return `${name}(${[...(list === '' ? [] : [list]), ...brackets].join(', ')})`;
}

/** Formats all methods as a Markdown table, with optional parameters in brackets. */
export function formatMethodReference(methods: MethodTable): string {
  const rows = [...methods.values()].map(
    (method) => `| \`${formatSignature(method)}\` | ${method.returns.type} | ${method.help} |`,
  );
  return `| method | returns | meaning |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
}
