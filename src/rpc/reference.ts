/**
 * What people read about the methods, made from their table: the reference in Markdown. Pure.
 */
import type { Method, MethodTable } from './method.ts';

function formatSignature({ name, parameters }: Method): string {
  const [required, optional] = [
    parameters.filter(({ isOptional }) => isOptional !== true),
    parameters.filter(({ isOptional }) => isOptional === true),
  ];
  const list = required.map((parameter) => parameter.name).join(', ');
  const rest = optional.map((parameter) => parameter.name).join(', ');
  return `${name}(${list}${rest === '' ? '' : `${list === '' ? '' : ', '}[${rest}]`})`;
}

/** Every method with its parameters, those that may be left out in brackets, as a Markdown table. */
export function formatMethodReference(methods: MethodTable): string {
  const rows = [...methods.values()].map(
    (method) => `| \`${formatSignature(method)}\` | ${method.returns.type} | ${method.help} |`,
  );
  return `| method | returns | meaning |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
}
