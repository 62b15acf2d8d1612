/**
 * The table of all methods, including `system.*`. A name is looked up in a Map and nowhere else (CVE-2017-11610).
 */
import { RpcFault } from '../core/faults.ts';
import { controlMethods } from './control-methods.ts';
import { logMethods } from './log-methods.ts';
import { type Method, type MethodTable, readText } from './method.ts';
import { runMulticall } from './multicall.ts';
import { stateMethods } from './state-methods.ts';
import type { XmlRpcValue } from './xmlrpc.ts';

/** Formats the help of a method. compat: other tools parse its lines with @. */
function formatHelp({ help, parameters, returns }: Method): string {
  const lines = [
    ...parameters.map(({ type, name, help: what }) => `@param ${type} ${name} ${what}`),
    `@return ${returns.type} ${returns.name} ${returns.help}`,
  ];
  return ` ${help}\n\n${lines.map((line) => `        ${line}\n`).join('')}\n        `;
}

function find(table: MethodTable, value: XmlRpcValue | undefined): Method {
  const method = typeof value === 'string' ? table.get(value) : undefined;
  if (method === undefined) throw RpcFault.of('SIGNATURE_UNSUPPORTED');
  return method;
}

function systemMethods(table: MethodTable): Method[] {
  return [
    {
      name: 'system.listMethods',
      help: 'Names of all methods',
      parameters: [],
      returns: { type: 'array', name: 'result', help: 'Names' },
      call: () => [...table.keys()].toSorted(),
    },
    {
      name: 'system.methodHelp',
      help: 'Description of a method',
      parameters: [{ type: 'string', name: 'name', help: 'Name of the method' }],
      returns: { type: 'string', name: 'result', help: 'Description' },
      call: (_context, [name]) => formatHelp(find(table, readText(name))),
    },
    {
      name: 'system.methodSignature',
      help: 'Types of the result and the parameters of a method',
      parameters: [{ type: 'string', name: 'name', help: 'Name of the method' }],
      returns: { type: 'array', name: 'result', help: 'Type of the result, then the types of the parameters' },
      call: (_context, [name]) => {
        const { returns, parameters } = find(table, name);
        return [returns.type, ...parameters.map(({ type }) => type)];
      },
    },
    {
      name: 'system.multicall',
      help: 'Call several methods, one after the other',
      parameters: [{ type: 'array', name: 'calls', help: 'Structs of methodName and params' }],
      returns: {
        type: 'array',
        name: 'result',
        help: 'For each call its value, or a struct of faultCode and faultString',
      },
      call: (context, [calls]) => runMulticall(table, context, calls),
    },
  ];
}

/** Makes the table of all methods; `more` has the methods of plug-ins and of our own namespace. */
export function createMethodTable(more: readonly Method[] = []): MethodTable {
  const table = new Map<string, Method>();
  for (const method of [...stateMethods, ...controlMethods, ...logMethods, ...more, ...systemMethods(table)])
    table.set(method.name, method);
  return table;
}
