/**
 * The rules for imports in src/: the table, a parser for imports, and the comparison of the two. Only import statements
 * are checked. The linter (oxlint.json) checks the use of globals such as `process`.
 */
import { posix } from 'node:path';

/**
 * The imports that a folder may have. A target is a path below src/ (a folder ends with `/`), `node:NAME`, `node:*`,
 * `npm:NAME` or `npm:*`.
 */
interface Layer {
  /** Allowed imports. */
  readonly may: readonly string[];
  /** Allowed only with `import type`. */
  readonly types?: readonly string[];
  /** Allowed only for these files of the folder. */
  readonly only?: Readonly<Record<string, readonly string[]>>;
  /** Purpose of the layer, printed with a violation. */
  readonly reason: string;
}

/** Layers that a running supervisor is made of. */
const BODY = ['files/', 'core/', 'config/', 'engine/', 'process/', 'native/', 'logs/'];

/**
 * Supports the rule "Nothing else changes the state of a process": facts come in, one pure function decides, effects go
 * out.
 */
export const LAYERS: Readonly<Record<string, Layer>> = {
  'loader.ts': {
    may: ['node:sea', 'node:vm', 'startup/bundles.ts'],
    reason: 'the loader only loads main.ts or client.ts, as a bundle',
  },
  'client.ts': {
    may: ['programs/', 'startup/'],
    reason: 'client.ts only composes',
  },
  'main.ts': {
    may: ['programs/', 'startup/', 'native/', 'process/', 'core/', 'node:*'],
    reason: 'main.ts only composes',
  },
  'programs/': {
    may: [
      'programs/',
      'startup/',
      'supervisor/',
      ...BODY,
      'alerts/',
      'http/',
      'rpc/',
      'ctl/',
      'cli/',
      'manual/',
      'node:*',
      'npm:*',
    ],
    reason: 'a program connects the parts; only main.ts and client.ts import it',
  },
  'startup/': {
    may: [
      'startup/',
      'cli/',
      'files/',
      'core/',
      'config/',
      'process/',
      'native/',
      'ctl/discovery.ts',
      'logs/auto-files.ts',
      'node:*',
    ],
    types: ['engine/', 'supervisor/', 'http/', 'ctl/', 'logs/'],
    reason: 'startup/ examines the machine and prepares our own process: it starts no program',
  },
  'supervisor/': {
    may: [
      'supervisor/',
      ...BODY,
      'alerts/',
      'events/',
      'health/',
      'watch/',
      'rpc/',
      'http/',
      'live/',
      'web/',
      'api/',
      'peers/',
      'node:*',
      'npm:*',
    ],
    reason: 'supervisor/ connects the parts of one running supervisor; programs use it, not the other way round',
  },
  'files/': {
    may: ['files/', 'core/', 'node:*'],
    reason: 'files/ reads and opens files that users name, within limits; it knows no option and no program',
  },
  'watch/': {
    may: ['watch/', 'files/', 'core/', 'engine/alarm.ts', 'node:fs', 'node:fs/promises', 'node:path'],
    types: ['engine/ports.ts'],
    reason: 'watch/ notices changed files; it knows no option and no program',
  },
  'manual/': { may: ['manual/'], reason: 'manual/ holds pages and lays them out as text: it reads no file' },
  'cli/': { may: ['cli/'], reason: 'cli/ is the table of commands and the texts made from it: it runs none of them' },
  'core/': { may: ['core/'], reason: 'the machines are pure: no Node, no clock, no package, nothing but core/' },
  'config/': {
    may: ['config/', 'core/', 'npm:*', 'node:path', 'node:util'],
    types: ['native/addon.ts'],
    only: { 'source.ts': ['node:*', 'files/'], 'plugin-module.ts': ['node:module', 'files/'] },
    reason: 'reading a configuration is pure: only config/source.ts touches files and the environment',
  },
  'engine/': {
    may: ['engine/', 'core/'],
    types: ['config/', 'events/'],
    reason: 'the engine reaches the world through its ports only: no syscall, no timer, no log sink',
  },
  'process/': {
    may: ['process/', 'files/', 'native/', 'core/', 'node:*', 'npm:*'],
    types: ['config/', 'engine/', 'logs/', 'events/'],
    reason: 'process/ does what an effect says, it holds no policy and no states',
  },
  'native/': {
    may: ['native/', 'core/', 'node:*'],
    reason: 'the addon and its loader stand alone: no strings for people, no decisions',
  },
  'logs/': {
    may: ['logs/', 'files/', 'node:*', 'npm:*', 'core/'],
    types: ['native/addon.ts', 'config/', 'engine/'],
    reason: 'logs/ knows programs by name only',
  },
  'events/': {
    may: ['events/', 'core/', 'npm:*'],
    types: ['config/', 'engine/', 'logs/'],
    reason: 'events/ turns events into what listeners read; it changes no process',
  },
  'health/': {
    may: ['health/', 'core/', 'engine/alarm.ts', 'node:http', 'node:https', 'node:net', 'node:dns'],
    types: ['config/', 'engine/', 'node:tls'],
    only: { 'connections.ts': ['files/authorities.ts'], 'check.ts': ['files/path-probe.ts'] },
    reason:
      'health/ checks programs from outside, as their clients do: the port Jobs runs commands, and the engine ' +
      'acts on the results',
  },
  'alerts/': {
    may: [
      'alerts/',
      'core/',
      'config/diff.ts',
      'engine/alarm.ts',
      'files/read-file.ts',
      'files/authorities.ts',
      'files/path-probe.ts',
      'health/host-lookups.ts',
      'health/reasons.ts',
      'node:http',
      'node:https',
    ],
    types: ['config/', 'engine/', 'node:net', 'node:tls'],
    reason: 'alerts/ tells people what has happened: the port Jobs runs commands, and it changes no process',
  },
  'peers/': {
    may: [
      'peers/',
      'core/',
      'rpc/xmlrpc.ts',
      'files/read-file.ts',
      'files/authorities.ts',
      'files/path-probe.ts',
      'health/reasons.ts',
      'node:http',
      'node:https',
      'node:crypto',
    ],
    types: ['api/', 'config/', 'node:net', 'node:tls', 'node:dns'],
    reason: 'peers/ asks configured supervisors in other containers: it changes nothing here',
  },
  'rpc/': {
    may: ['rpc/', 'engine/', 'core/', 'npm:*'],
    types: ['config/', 'logs/', 'events/'],
    reason: "RPC talks to the engine's facade; it knows no HTTP",
  },
  'http/': {
    may: ['http/', 'files/', 'rpc/', 'logs/', 'core/', 'node:*', 'npm:*'],
    types: ['config/', 'engine/', 'web/'],
    reason: 'HTTP routes to RPC and logs; the inside of a process is closed to it',
  },
  'api/': {
    may: [
      'api/',
      'rpc/',
      'core/',
      'config/nearest.ts',
      'http/answers.ts',
      'http/body.ts',
      'http/shared-answer.ts',
      'logs/line-filter.ts',
    ],
    types: ['http/', 'engine/', 'config/'],
    only: { 'peer-rows.ts': ['peers/'] },
    reason: 'the JSON API answers with what the RPC methods offer: it has no facts of its own',
  },
  'ctl/': {
    may: [
      'ctl/',
      'cli/',
      'files/',
      'rpc/xmlrpc.ts',
      'rpc/json-answer.ts',
      'logs/columns.ts',
      'logs/rotation.ts',
      'core/',
      'config/',
      'node:*',
      'npm:*',
    ],
    types: ['rpc/'],
    reason: 'the client talks to a supervisor over RPC: never engine/, process/ or the addon',
  },
  'live/': {
    may: ['live/', 'rpc/', 'core/', 'files/', 'http/answers.ts', 'logs/line-filter.ts', 'node:os'],
    types: ['http/', 'engine/', 'node:http'],
    only: {
      'files-route.ts': ['logs/rotation.ts', 'node:fs', 'node:fs/promises', 'node:path', 'node:stream', 'node:zlib'],
    },
    reason: 'streams tell what the RPC methods tell, as it happens; they change nothing',
  },
  'dashboard/': {
    may: [
      'dashboard/',
      'core/',
      // The words of the client of the terminal, so that all views say the same. These files are pure.
      'ctl/amounts.ts',
      'ctl/description.ts',
      'ctl/natural-order.ts',
      'ctl/process-status.ts',
      'npm:preact',
      'npm:preact/hooks',
      'npm:@preact/signals',
    ],
    types: ['api/', 'ctl/'],
    reason: 'the dashboard runs in a browser: it knows the JSON API and the pure words of core/ and ctl/ only',
  },
  'web/': {
    may: ['web/', 'rpc/', 'core/', 'http/answers.ts', 'node:crypto', 'node:zlib'],
    types: ['http/', 'node:http'],
    only: { 'dashboard-asset.ts': ['node:fs/promises', 'node:path', 'node:sea'] },
    reason: 'the page shows and does only what the RPC methods offer',
  },
};

/** Modules that no file in src/ may import, with the reasons. */
export const BANNED: Readonly<Record<string, string>> = {
  'node:child_process':
    "our reaper owns every exit status; a child of Node's own would be reaped behind its back: use process/",
  'node:cluster': 'our reaper owns every exit status, also that of a worker',
  'node:test': 'tests live in test/',
};

/** Reason why `import()` of a module of Node is refused. The bundler keeps the call as it is. */
const NO_DYNAMIC_IMPORT =
  'the executable has no import(): import it statically, and the bundle loads it when it is used';

/** One import of a file, with its target and its line. */
export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** True for `import type`. */
  readonly typeOnly: boolean;
  /** True for a call of `import()`. */
  readonly isDynamic: boolean;
}

/** One import that the table does not allow. */
export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** Finds static imports, re-exports, dynamic `import()` and `require()` in a source text. */
export function parseImports(source: string): Import[] {
  const text = source
    .replace(/\/\*[^]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/^\s*\/\/.*$/gm, '');
  const found: Import[] = [];
  const add = (
    index: number,
    specifier: string | undefined,
    kind: { typeOnly?: boolean; isDynamic?: boolean },
  ): void => {
    if (specifier === undefined) return;
    const line = text.slice(0, index).split('\n').length;
    found.push({ specifier, line, typeOnly: false, isDynamic: false, ...kind });
  };
  for (const match of text.matchAll(/^[ \t]*(?:import|export)\s+(type\s)?[^'";]*?\bfrom\s*['"]([^'"\n]+)['"]/gm))
    add(match.index, match[2], { typeOnly: match[1] !== undefined });
  for (const match of text.matchAll(/^[ \t]*import\s*['"]([^'"\n]+)['"]/gm)) add(match.index, match[1], {});
  // `import('x').Type` in a type position looks like a call, so both count as values.
  for (const match of text.matchAll(/\b(import|require|getBuiltinModule)\s*\(\s*['"]([^'"\n]+)['"]/g))
    add(match.index, match[2], { isDynamic: match[1] === 'import' });
  return found;
}

/** Compares the imports of one file (its path is relative to src/) with the table. */
export function layerViolations(file: string, source: string): Violation[] {
  return parseImports(source).flatMap((found) => {
    const message = objectionTo(file, found);
    return message === null ? [] : [{ file, line: found.line, message }];
  });
}

/** Returns the reason why an import is not allowed; null if it is allowed. */
function objectionTo(file: string, found: Import): string | null {
  const target = targetOf(file, found.specifier);
  const banned = BANNED[target];
  if (banned !== undefined) return `${target} is not for src/: ${banned}`;
  if (found.isDynamic && target.startsWith('node:')) return `${target} is not for import(): ${NO_DYNAMIC_IMPORT}`;
  const name = layerOf(file);
  const layer = LAYERS[name];
  if (layer === undefined) return `src/${file} is in no layer: add its folder to the table in build/layers.ts`;
  const only = layer.only?.[file.slice(name.length)] ?? [];
  if ([...layer.may, ...only].some((allowed) => isWithin(target, allowed))) return null;
  if ((layer.types ?? []).some((allowed) => isWithin(target, allowed))) {
    return found.typeOnly ? null : `${name} may import only types of ${target}: ${layer.reason}`;
  }
  return `${name} may not import ${target}: ${layer.reason}`;
}

/** Returns the layer of a file: `programs/` for programs/check.ts, `main.ts` for itself. */
function layerOf(file: string): string {
  const slash = file.indexOf('/');
  return slash === -1 ? file : file.slice(0, slash + 1);
}

/** Returns the target of a specifier, as the table has it. */
function targetOf(file: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.normalize(posix.join(posix.dirname(file), specifier));
  if (specifier.startsWith('node:')) return specifier;
  return `npm:${specifier}`;
}

function isWithin(target: string, allowed: string): boolean {
  if (allowed.endsWith('*')) return target.startsWith(allowed.slice(0, -1));
  if (allowed.endsWith('/')) return target.startsWith(allowed);
  return target === allowed || (allowed.startsWith('node:') && target.startsWith(`${allowed}/`));
}
