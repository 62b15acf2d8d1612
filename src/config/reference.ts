/**
 * Texts about the options, made from their tables: the reference in Markdown, and the commented sample configuration.
 * Pure.
 */
import { switches } from './environment.ts';
import type { Json } from './datatype.ts';
import type { Option } from './option.ts';
import { type SectionKind, sectionKinds } from './options.ts';

/** Describes the default of an option; null if there is none. */
export function describeDefault(option: Option<unknown>): string | null {
  if (option.defaultText !== undefined) return option.defaultText;
  const text = option.default === null || option.isRequired ? '' : formatValue(option, option.default);
  return text === '' ? null : text;
}

function formatValue(option: Option<unknown>, value: unknown): string {
  const shown: Json = option.type.show === undefined ? (value as Json) : option.type.show(value);
  if (option.type.name === 'octal') return `0${Number(shown).toString(8)}`;
  if (option.type.name === 'size' && typeof shown === 'number' && shown > 0) return `${shown / 1024 ** 2}MB`;
  if (Array.isArray(shown)) return shown.join(',');
  return shown !== null && typeof shown === 'object' ? '' : String(shown);
}

/** Formats every section and option as Markdown tables. A plus marks options that Supervisor does not have. */
export function formatOptionReference(): string {
  const parts = sectionKinds.filter(({ title }) => title !== 'program-default').map(formatSection);
  const rows = Object.entries(switches).map(([name, doc]) => `| \`${name}\` | ${doc} |`);
  return `${parts.join('\n')}\n### Environment\n\n| variable | meaning |\n| --- | --- |\n${rows.join('\n')}\n`;
}

function formatSection({ title, tables }: SectionKind): string {
  // Listeners and FastCGI programs have the options of a program, which are shown once.
  const table = tables[tables.length - 1] ?? {};
  const also = tables.length > 1 ? 'All options of `[program:x]`, and:\n\n' : '';
  const rows = Object.entries(table).map(([name, option]) => {
    const container =
      option.containerDefault === undefined ? '' : `; in a container ${describeContainerDefault(option)}`;
    const fallback = option.isRequired ? 'required' : (describeDefault(option) ?? '');
    return (
      `| \`${name}\`${option.isAddition ? ' +' : ''} | ${option.type.name} | ${fallback}${container} | ` +
      `${option.doc} |`
    );
  });
  return (
    `### [${title}]\n\n${also}| option | type | default | meaning |\n| --- | --- | --- | --- |\n` +
    `${rows.join('\n')}\n`
  );
}

/** Describes the default in container mode of an option that has one of its own. */
export function describeContainerDefault(option: Option<unknown>): string {
  if (option.containerDefault === null) return 'the same with a configuration file, otherwise none';
  const text = formatValue(option, option.containerDefault);
  if (text === 'null') return 'the console only';
  return text.startsWith('/dev/') ? `${text}, with a prefix` : text;
}

/** Active sections and options of the sample; all others are comments. */
const ACTIVE: Readonly<Record<string, readonly string[]>> = {
  unix_http_server: ['file'],
  supervisord: [
    'logfile',
    'logfile_maxbytes',
    'logfile_backups',
    'loglevel',
    'pidfile',
    'nodaemon',
    'silent',
    'minfds',
    'minprocs',
  ],
  'rpcinterface:x': ['supervisor.rpcinterface_factory'],
  supervisorctl: ['serverurl'],
};
const SAMPLE_NAMES: Readonly<Record<string, string>> = {
  'rpcinterface:x': 'rpcinterface:supervisor',
  'program:x': 'program:theprogramname',
  'eventlistener:x': 'eventlistener:theeventlistenername',
  'fcgi-program:x': 'fcgi-program:thefcgiprogramname',
  'group:x': 'group:thegroupname',
  'notify:x': 'notify:thenotificationname',
  'api_user:x': 'api_user:theusername',
  'ctlplugin:x': 'ctlplugin:thepluginname',
};
const COMMENT_COLUMN = 44;

/** Returns a sample configuration with every option, for `echo-conf`. Most options are comments. */
export function formatSample(): string {
  const head = [
    '; Sample configuration.',
    ';',
    '; A ";" begins a comment where a space is before it: "a=b ;comment", not "a=b;comment".',
    '; %(ENV_HOME)s is the value of the environment variable HOME, %(ENV_X:-y)s that of X, or y.',
    '; Neither ~ nor $HOME is expanded in a command. A percent sign is written %%.',
    '; Options marked with + are additions; Supervisor ignores them.',
    '',
  ];
  return `${head.join('\n')}\n${sectionKinds.map(formatSampleSection).join('\n')}`;
}

function formatSampleSection({ title, tables }: SectionKind): string {
  const active = ACTIVE[title];
  const options = Object.entries(Object.assign({}, ...tables) as Record<string, Option<unknown>>);
  const lines = options.map(([name, option]) => {
    const value = option.sample ?? formatValue(option, option.default);
    const setting = `${active?.includes(name) === true ? '' : ';'}${name}=${value}`;
    const fallback = option.isRequired ? 'required' : `default: ${describeDefault(option) ?? 'none'}`;
    return `${setting.padEnd(COMMENT_COLUMN)} ; ${option.isAddition ? '+ ' : ''}${option.doc} (${fallback})`;
  });
  return [`${active === undefined ? ';' : ''}[${SAMPLE_NAMES[title] ?? title}]`, ...lines, ''].join('\n');
}
