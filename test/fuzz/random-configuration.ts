/** Random configurations of several sections and files, from the tables of options. Options of our own are left out. */
import {
  fcgiOptions,
  groupOptions,
  inetServerOptions,
  listenerOptions,
  programOptions,
  supervisordOptions,
  unixServerOptions,
} from '../../src/config/options.ts';
import type { Table } from '../../src/config/option.ts';
import type { Random } from './random.ts';

/** A line of a configuration, in one of its files. */
export interface FileLine {
  readonly file: string;
  readonly line: string;
}

/** Name of the main file. */
export const MAIN_FILE = 'supervisord.conf';
const INCLUDED = ['conf.d/a.conf', 'conf.d/b.conf', 'conf.d/sub/c.conf', 'd.ini'];

/** Variables of the environment. */
export const VARIABLES = { A: 'va', N: '2', P: 'B=2,C=3', EMPTY: '', SPACED: ' x ' };

const EXPANSIONS = [
  '%(here)s',
  '%(ENV_A)s',
  '%(ENV_N)s',
  '%(ENV_SPACED)s',
  '%(ENV_EMPTY)s',
  '%(ENV_OWN)s',
  '%(ENV_G)s',
  '%(program_name)s',
  '%(group_name)s',
  '%(host_node_name)s',
  '%(process_num)d',
  '%(process_num)02d',
  '%(numprocs)s',
  '%%',
];
const WRONG_EXPANSIONS = ['%(ENV_NOPE)s', '%', '%(', '%s'];

/** Valid and invalid values of a type of options. */
interface Values {
  readonly valid: readonly string[];
  readonly invalid: readonly string[];
}

const BOOLEANS: Values = {
  valid: ['true', 'false', 'YES', 'no', 'On', 'off', '1', '0'],
  invalid: ['t', '', '2', 'tru e'],
};
const INTEGERS: Values = {
  valid: ['0', '1', '2', '5', '999', '-1', '+3', '007', '1_0', '%(ENV_N)s'],
  invalid: ['x', '1.5', '', '0x1', '1 2', '_1', '1__0', '%(ENV_A)s'],
};
const OWNERS: Values = { valid: ['root', '0', 'a:b', '1000:1000', '%(ENV_A)s'], invalid: [] };
const PATHS: Values = { valid: ['/tmp/x', 'x.log', '~/x', '%(here)s/x', '/tmp//y/../z'], invalid: ['%(x)s'] };
const LOGS: Values = {
  valid: ['AUTO', 'NONE', 'auto', 'off', 'syslog', '', '/tmp/%(program_name)s.log', '/l/%%.log', ...PATHS.valid],
  invalid: ['%(x)s', '/l/100%.log'],
};
const TEXTS: Values = {
  valid: ['a', 'x y', 'http://h:1', '"q"', "it's", 'é', '%(ENV_A)s', 'a;b', 'a#b', '[x]', 'a=b:c', 'AUTO'],
  invalid: ['%(nope)s', '%'],
};
const PAIRS: Values = {
  valid: [
    'A=1',
    'A="1 2",B=\'x,y\'',
    'A=1,B=2',
    'OWN="/o"',
    'OWN=%(ENV_A)s',
    'G="g"',
    '',
    'A="%(ENV_A)s",N=9',
    '%(ENV_P)s',
    'A=/x/y.z,\n  B=2',
    'A="50%%"',
    'HOME="/h"',
  ],
  invalid: ['A', 'A=', '=1', 'A B=1', 'A="x', 'A=@', 'A=%(x)s'],
};

/** Values by the names of the types in the tables. */
const BY_TYPE: Readonly<Record<string, Values>> = {
  boolean: BOOLEANS,
  integer: INTEGERS,
  seconds: { valid: INTEGERS.valid, invalid: ['x', '', '1,5', '-', '%(ENV_A)s'] },
  octal: { valid: ['022', '0', '777', '0o22', ' 22', '-1'], invalid: ['8', '', 'x', '0x1'] },
  size: { valid: ['0', '1', '1MB', '2kb', '3Gb', '1 MB', '-1', '1_0KB'], invalid: ['1M', 'MB', '', 'x', '1.5MB'] },
  'exit codes': { valid: ['0', '0,2', '', '0, 255 ,1'], invalid: ['256', '0,', '-1', 'x', '0 1'] },
  'true \\| false \\| unexpected': { valid: [...BOOLEANS.valid, 'unexpected', 'UNEXPECTED'], invalid: ['always', ''] },
  signals: {
    valid: ['TERM', 'HUP', 'sigint', 'SIGQUIT', '9', ' 15 ', 'usr1', 'SIGCLD', '64', 'POLL'],
    invalid: ['FOO', 'SIG', '99', 'SIGSIGTERM', '-1', ''],
  },
  'user[:group]': OWNERS,
  path: PATHS,
  directory: { valid: ['/tmp', '~', '%(here)s', 'x', ''], invalid: ['%(x)s'] },
  'path \\| AUTO \\| NONE \\| syslog://host:port, …': LOGS,
  'path \\| NONE \\| syslog://host:port, …': PATHS,
  'KEY="value",…': PAIRS,
  text: TEXTS,
  'critical \\| error \\| warn \\| info \\| debug \\| trace \\| blather': {
    valid: ['critical', 'error', 'WARN', 'info', 'debug', 'trace', 'blather'],
    invalid: ['warning', '', 'x'],
  },
};

/** Values by the names of options, where the type says too little. */
const BY_NAME: Readonly<Record<string, Values>> = {
  command: {
    valid: ['/bin/cat', 'a "b c"', 'a\n  b\n  c', 'a %%s', 'x %(process_num)d', 'a "b', ''],
    invalid: ['a %s'],
  },
  process_name: {
    valid: ['p', '%(program_name)s_%(process_num)02d', '%(process_num)d', 'x%(process_num)s', '%(group_name)s', ' y '],
    invalid: ['a b', 'a:b', 'a/b', '%(process_num)', '%(x)s'],
  },
  numprocs: { valid: ['1', '2', '3', '0', '-1', '%(ENV_N)s'], invalid: INTEGERS.invalid },
  numprocs_start: { valid: ['0', '1', '9', '-1'], invalid: INTEGERS.invalid },
  priority: { valid: ['1', '5', '5', '999', '-1', '%(ENV_N)s'], invalid: INTEGERS.invalid },
  events: {
    valid: ['TICK_5', 'PROCESS_STATE,tick_5', 'EVENT', 'PROCESS_LOG , PROCESS_LOG', 'process_state_exited'],
    invalid: ['NOPE', 'EVENT,', '', 'TICK_5 EVENT'],
  },
  buffer_size: { valid: ['1', '10', '+2'], invalid: ['0', '-1', 'x', ''] },
  result_handler: { valid: ['supervisor.dispatchers:default_handler', 'a:b'], invalid: ['%(x)s'] },
  socket: {
    valid: [
      'unix:///tmp/s',
      'unix:///tmp//a/../b',
      'tcp://Host:99',
      'tcp://1.2.3.4:1',
      'unix://%(here)s/%(program_name)s',
    ],
    invalid: ['unix://x', 'tcp://h:99999', 'tcp://h', 'http://h:1', '', 'tcp://h:0'],
  },
  socket_backlog: { valid: ['1', '65535'], invalid: ['0', '65536', 'x', ''] },
  port: {
    valid: ['9001', '*:9001', '127.0.0.1:9002', 'Host:1', ':9003', ' 9004', 'localhost:9_005'],
    invalid: ['h:', '0', '65536', 'x', ''],
  },
  file: { valid: ['/tmp/s.sock', '%(here)s/s', ' x ', '~/s'], invalid: ['%(x)s'] },
  username: { valid: ['u', 'é', '%(ENV_A)s'], invalid: ['%(nope)s'] },
  password: { valid: ['p', '{SHA}abc', 'a b'], invalid: ['%(nope)s'] },
};

const NAMES = ['a', 'b', 'web', 'a-b', 'web.1', 'B', 'é'];
const NUMBERED = ['%(program_name)s_%(process_num)02d', '%(process_num)d', 'x%(process_num)s'];
const ODD_NAMES = ['a b', ' a', 'a:b', 'a/b'];
/** Share of options with a value to refuse. A file with one error says nothing about its other values. */
const ERROR_SHARE = 0.012;

/** Shares of options that are more, or less, interesting than others. */
const SHARES: Readonly<Record<string, number>> = {
  numprocs: 0.015,
  priority: 0.4,
  stopasgroup: 0.25,
  killasgroup: 0.25,
};

/** Makes the lines of a random configuration. */
export class ConfigurationMaker {
  readonly #random: Random;
  readonly #programs: string[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** Returns the lines of all files. */
  make(): FileLine[] {
    const random = this.#random;
    const sections = Array.from({ length: 1 + random.below(6) }, () => this.#makeSection());
    const head = random.chance(0.985) ? [this.#section('supervisord', this.#options(supervisordOptions, 0.12))] : [];
    const groups = Array.from({ length: this.#programs.length > 0 ? random.below(3) : 0 }, () => this.#makeGroup());
    const all = this.#shuffle([...head, ...sections, ...groups]);
    const hasInclude = random.chance(0.35);
    const rows = all.flatMap((lines) => {
      const file = hasInclude && lines !== head[0] && random.chance(0.4) ? random.pick(INCLUDED) : MAIN_FILE;
      return lines.map((line) => ({ file, line }));
    });
    if (!hasInclude) return rows;
    return [...rows, ...this.#section('include', [this.#assign('files', this.#includePattern())]).map(inMain)];
  }

  #includePattern(): string {
    const patterns = [
      'conf.d/*.conf',
      '*.ini',
      '%(here)s/conf.d/?.conf',
      'conf.d/**/*.conf',
      'conf.d/[!a].conf',
      'nope',
    ];
    if (this.#random.chance(0.02)) return this.#random.pick(['%', '%(nope)s', '']);
    const more = Array.from({ length: this.#random.below(3) }, () => this.#random.pick(patterns));
    return this.#random.chance(0.8) ? ['conf.d/*.conf', '*.ini', ...more].join(' ') : more.join(' ');
  }

  #makeSection(): string[] {
    const random = this.#random;
    const kind = random.below(10);
    if (kind < 4) return this.#makeProgram('program', [programOptions], []);
    switch (kind) {
      case 4:
      case 5:
        return this.#makeProgram('eventlistener', [programOptions, listenerOptions], ['events']);
      case 6:
        return this.#makeProgram('fcgi-program', [programOptions, fcgiOptions], ['socket']);
      case 7:
        return this.#makeServer('inet_http_server', inetServerOptions, 'port');
      case 8:
        return this.#makeServer('unix_http_server', unixServerOptions, 'file');
      default:
        return this.#makeOther();
    }
  }

  #makeProgram(start: string, tables: readonly Table[], required: readonly string[]): string[] {
    const random = this.#random;
    const name = random.pick(random.chance(0.995) ? NAMES : ODD_NAMES);
    if (start !== 'eventlistener') this.#programs.push(name);
    const options = tables.flatMap((table) => this.#options(table, table === programOptions ? 0.12 : 0.3));
    for (const option of ['command', ...required])
      if (random.chance(0.99)) options.push(this.#assign(option, this.#valueOf(option, 'text')));
    if (random.chance(0.25))
      options.push(
        this.#assign('numprocs', this.#valueOf('numprocs', 'integer')),
        this.#assign(
          'process_name',
          random.chance(0.9) ? random.pick(NUMBERED) : this.#valueOf('process_name', 'text'),
        ),
      );
    return this.#section(`${start}:${name}`, this.#shuffle(options));
  }

  #makeServer(start: string, table: Table, required: string): string[] {
    const random = this.#random;
    const { username: _user, password: _password, ...others } = table;
    const options = this.#options(others, 0.3);
    if (random.chance(0.98)) options.push(this.#assign(required, this.#valueOf(required, 'text')));
    if (random.chance(0.5))
      for (const name of ['username', 'password'])
        if (random.chance(0.98)) options.push(this.#assign(name, this.#valueOf(name, 'text')));
    return this.#section(random.chance(0.9) ? start : `${start}:x`, this.#shuffle(options));
  }

  /** Makes a section whose options Supervisor's daemon ignores, or passes on. */
  #makeOther(): string[] {
    const random = this.#random;
    switch (random.below(4)) {
      case 0:
        return this.#section('supervisorctl', [
          this.#assign('serverurl', random.pick(['unix:///x', '%', 'http://h:1'])),
        ]);
      case 1:
        return this.#section('unknown', [this.#assign('x', random.pick(['1', '%', '%(nope)s']))]);
      case 2:
        return this.#section('DEFAULT', this.#options({ ...programOptions, ...inetServerOptions }, 0.02));
      default:
        return this.#section(`rpcinterface:${random.pick(['supervisor', 'x'])}`, [
          this.#assign(
            'supervisor.rpcinterface_factory',
            random.pick(['a:b', 'supervisor.rpcinterface:make_main_rpcinterface']),
          ),
          ...(random.chance(0.5) ? [this.#assign(random.pick(['k', 'Key']), this.#valueOf('k', 'text'))] : []),
        ]);
    }
  }

  #makeGroup(): string[] {
    const random = this.#random;
    const members = Array.from({ length: random.below(4) }, () =>
      random.pick(random.chance(0.99) ? this.#programs : NAMES),
    );
    const options = random.chance(0.95) ? [this.#assign('programs', members.join(random.pick([',', ', ', ' ,'])))] : [];
    const { priority } = groupOptions;
    return this.#section(`group:${random.pick([...NAMES, 'g', 'h', 'g'])}`, [
      ...options,
      ...this.#options({ priority }, 0.4),
    ]);
  }

  /** Returns lines that set a share of the options that Supervisor has. */
  #options(table: Table, share: number): string[] {
    return Object.entries(table)
      .filter(([name, { isAddition }]) => !isAddition && this.#random.chance(SHARES[name] ?? share))
      .map(([name, { type }]) => this.#assign(name, this.#valueOf(name, type.name)));
  }

  #valueOf(name: string, type: string): string {
    const random = this.#random;
    const { valid, invalid } = BY_NAME[name] ?? BY_TYPE[type] ?? TEXTS;
    if (invalid.length > 0 && random.chance(ERROR_SHARE)) return random.pick(invalid);
    const value = random.pick(valid);
    if (!random.chance(0.02)) return value;
    const at = random.below(value.length + 1);
    return value.slice(0, at) + random.pick(random.chance(0.9) ? EXPANSIONS : WRONG_EXPANSIONS) + value.slice(at);
  }

  #assign(name: string, value: string): string {
    const random = this.#random;
    const written = random.chance(0.04) ? name.toUpperCase() : name;
    const sign = random.pick(['=', '=', '=', ' = ', ':', ': ', '= ']);
    const end = random.chance(0.06)
      ? random.pick([' ; c', ' # c', ';x', ' ;', '#', '\n  ; c', '\n\t', '  ', '\r'])
      : '';
    return `${written}${sign}${value}${end}`;
  }

  /** Returns the lines of a section, with comments and the like between them. */
  #section(name: string, options: readonly string[]): string[] {
    const random = this.#random;
    const title = random.chance(0.97)
      ? `[${name}]`
      : random.pick([`[${name}] ; c`, `[ ${name}]`, `[${name} ]`, ` [${name}]`]);
    const noise = ['', '; c', '# c', '  ; c', '\t', ';a=1'];
    const between = options.flatMap((line) => (random.chance(0.05) ? [random.pick(noise), line] : [line]));
    // Supervisor ignores options that it does not know, but refuses a line that is no option.
    const last = random.chance(0.004) ? [random.pick(['foo', '=x', '[', ':'])] : [];
    return [title, ...between, ...last];
  }

  #shuffle<T>(list: readonly T[]): T[] {
    return list
      .map((one) => ({ one, rank: this.#random.next() }))
      .toSorted((a, b) => a.rank - b.rank)
      .map(({ one }) => one);
  }
}

const inMain = (line: string): FileLine => ({ file: MAIN_FILE, line });

/** Joins the lines of each file. Files without lines are missing. */
export function joinLines(lines: readonly FileLine[]): {
  readonly text: string;
  readonly files: Record<string, string>;
} {
  const texts: Record<string, string> = {};
  for (const { file, line } of lines) texts[file] = `${texts[file] ?? ''}${line}\n`;
  const { [MAIN_FILE]: text = '', ...files } = texts;
  return { text, files };
}
