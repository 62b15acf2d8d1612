/** Parsers of texts from outside: no text makes them throw anything but their own errors, hang, or break a promise. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLineError, joinCommandLine, parseCommandLine, splitCommandLine } from '../../src/core/command-line.ts';
import { parseEnvironmentText } from '../../src/core/environment-text.ts';
import { initialListener, type ListenerRecord, readListenerOutput } from '../../src/core/listener-protocol.ts';
import { parseNotifyMessage } from '../../src/core/notify-message.ts';
import { cron, nextTime } from '../../src/config/cron.ts';
import { WrongValue } from '../../src/config/datatype.ts';
import { noFlags } from '../../src/config/flags.ts';
import { readConfig } from '../../src/config/read.ts';
import type { Source } from '../../src/config/source.ts';
import { decodeCall, decodeResponse, encodeCall, XmlRpcSyntaxError } from '../../src/rpc/xmlrpc.ts';
import { bySize } from '../slow.ts';
import { fuzz, type Target } from './guided.ts';
import { Random } from './random.ts';

/** Returns a source without files, except for these texts. */
function sourceOf(env: Source['env'], files: Readonly<Record<string, string>> = {}): Source {
  return {
    env,
    cwd: '/',
    hostname: 'box',
    users: null,
    read: (path) => {
      const text = files[path];
      return text === undefined ? { ok: false, code: 'ENOENT', reason: 'there is no such file' } : { ok: true, text };
    },
    isFile: (path) => files[path] !== undefined,
    isDirectory: () => false,
    list: () => [],
  };
}

/** Reads a configuration, and checks that it is a result, or errors with places. */
function read(source: Source): void {
  const { config, errors } = readConfig(source, {
    isContainer: true,
    isStatic: false,
    flags: noFlags,
    executable: '/usr/bin/onevisor',
  });
  assert.ok((config === null) === errors.length > 0, 'a configuration or errors');
  if (config === null) return;
  const names = config.groups.flatMap(({ processes }) => processes.map(({ group, name }) => `${group}:${name}`));
  assert.equal(new Set(names).size, names.length, 'each process has a name of its own');
}

/** Cuts a text into chunks. Equal texts are cut at the same places. */
function chunksOf(text: string): string[] {
  const random = new Random(text.length * 31 + (text.charCodeAt(0) || 0));
  const chunks: string[] = [];
  for (let at = 0; at < text.length;) {
    const size = 1 + random.below(random.chance(0.5) ? 3 : 40);
    chunks.push(text.slice(at, at + size));
    at += size;
  }
  return chunks;
}

function readListener(chunks: readonly string[]): { outcomes: unknown[]; state: ListenerRecord['state'] } {
  let record = initialListener;
  const outcomes: unknown[] = [];
  for (const chunk of chunks) {
    const heard = readListenerOutput(record, chunk);
    record = heard.record;
    // The reason has the bytes that were read so far.
    outcomes.push(...heard.outcomes.map((outcome) => (outcome.type === 'violated' ? outcome.type : outcome)));
    assert.ok(record.held.length <= 128, 'a bounded part is kept');
  }
  return { outcomes, state: record.state };
}

const OPTIONS = `[supervisord]\nnodaemon=true\nenvironment=A="1",B='%(ENV_X)s'\nstop_budget=9\n[unix_http_server]
file=/tmp/x.sock\nusername=u\npassword={SHA}x\n[inet_http_server]\nport=*:9001\n[supervisorctl]\nserverurl=unix:///x
[program:web]\ncommand=/bin/web -p %(process_num)02d "a b"\nnumprocs=2\nprocess_name=%(program_name)s_%(process_num)s
autorestart=unexpected\nexitcodes=0,2\nstopsignal=TERM INT\nstartsecs=1.5\nstdout_logfile=/x %(here)s\numask=022
depends_on=db:healthy:restart\nhealthcheck=http://localhost:80/x\nlisten=tcp:8080\nlimit_nofile=1024:2048
stdout_logfile_maxbytes=1MB\nuser=1000\nlog_multiline=^\\d\ncron=*/5 * * * *\nready_log=up\nnotify=sd\n[program:db]
command=db\noneshot=true\npre_start_command=x\nnice=3\nexit_on_failure=true\nwatch=/etc/*.conf\n[group:g]\nprograms=web
[eventlistener:l]\ncommand=l\nevents=TICK_5,PROCESS_STATE\nbuffer_size=9\n[fcgi-program:f]\ncommand=f
socket=unix:///tmp/f.sock\nsocket_mode=0700\n[notify:chat]\nurl=http://x/y\nevents=fatal\n[include]\nfiles=/etc/x/*.conf
[api_user:ada]\npassword=x\nrole=viewer\n[peer:other]\nurl=http://other:9001\n`;

const TARGETS: readonly Target[] = [
  {
    name: 'configuration',
    seeds: [OPTIONS, ...OPTIONS.split(/\n(?=\[)/), '[program:x]\ncommand=%(ENV_X)s\n'],
    words: [...OPTIONS.split(/[\s=,:]+/), ...OPTIONS.split('\n').map((line) => `\n${line}\n`), '%(ENV_X)s', '%(', ')d'],
    run: (text) => read(sourceOf({ ONEVISOR_CONF_TEXT: text, X: text.slice(0, 9) })),
  },
  {
    name: 'procfile',
    seeds: ['web: npm start\nworker: PORT=$PORT ./w\n', '# x\nA=1\nexport B="x\\n"\n'],
    words: ['web: ', 'PORT=', '\n', 'export ', '$PORT', '65535', '#'],
    run: (text) =>
      read(sourceOf({ ONEVISOR_PROCFILE: '/p/Procfile' }, { '/p/Procfile': text, '/p/.env': text.slice(0, 90) })),
  },
  {
    name: 'command line',
    seeds: ['a b', `a "b c" 'd' e\\ f`, '"a\\"b"', "''"],
    words: ['"', "'", '\\', ' ', '$X', '\\"'],
    run: (text) => {
      try {
        const words = splitCommandLine(text);
        assert.deepEqual(splitCommandLine(joinCommandLine(words)), words);
        assert.deepEqual(
          parseCommandLine(text).map((word) => word.text),
          words,
        );
      } catch (error) {
        if (!(error instanceof CommandLineError)) throw error;
      }
    },
  },
  {
    name: 'environment file',
    seeds: ['A=1\nB="x\\ny"\nC=\'z\' # d\nexport D=${A:-x}$B\nE\n'],
    words: ['${A', ':-', ':?', ':+', '}', '$A', '="', "='", '\n', 'export ', 'A', '#'],
    run: (text) => {
      for (const outer of [null, (name: string) => (name === 'A' ? 'a' : undefined)]) {
        const parsed = parseEnvironmentText(text, outer);
        const lines = text.split('\n').length;
        if (!parsed.ok) assert.ok(parsed.line >= 1 && parsed.line <= lines, `line ${parsed.line} of ${lines}`);
        // One line that doubles a variable must not grow without a limit.
        else for (const value of parsed.variables.values()) assert.ok(value.length < 1 << 24);
      }
    },
  },
  {
    name: 'schedule',
    seeds: ['*/5 * * * *', '0 0 1 1 *', '15 10 * * mon-fri', '0 0 29 2 *', '@daily', '0 0 L * 5#2', '5/15 * * * * *'],
    words: ['*', '/', '-', ',', 'L', '#', 'jan', 'sun', '59', '31', '2', '?', 'W', '+', ' '],
    run: (text) => {
      try {
        const schedule = cron.parse(text, {} as never);
        for (const zone of ['UTC', 'Europe/Berlin', 'Australia/Lord_Howe']) {
          const from = Date.UTC(2026, 2, 28, 23, 59, 59, 999);
          const next = nextTime(schedule, zone, from);
          assert.ok(next === null || (next > from && next % 1000 === 0), `${zone}: ${String(next)}`);
          const then = next === null ? null : nextTime(schedule, zone, next);
          assert.ok(next === null || then === null || then > next, 'the time after it is later');
        }
      } catch (error) {
        if (!(error instanceof WrongValue)) throw error;
      }
    },
  },
  {
    name: 'notify message',
    seeds: ['READY=1', 'STATUS=up\nWATCHDOG_USEC=20', 'WATCHDOG=trigger\nRELOADING=1\nMAINPID=1\n', 'X_Y=\x1b[1m'],
    words: ['READY=1', 'STOPPING=1', '\n', '=', 'STATUS=', 'WATCHDOG=1', '99999999999999999999', '\0'],
    run: (text) => {
      const facts = parseNotifyMessage(Buffer.from(text, 'latin1'));
      for (const fact of facts ?? [])
        if (fact.kind === 'status') {
          // oxlint-disable-next-line no-control-regex
          assert.doesNotMatch(fact.text ?? '', /[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
          assert.ok((fact.text ?? '').length <= 1000);
        }
    },
  },
  {
    name: 'listener protocol',
    seeds: ['READY\n', 'READY\nRESULT 2\nOKREADY\n', 'RESULT 4\nFAIL', 'RESULT +2\r\nOK'],
    words: ['READY\n', 'RESULT ', '2\nOK', '4\nFAIL', '\n', '99999999999999999999\n'],
    run: (text) => assert.deepEqual(readListener(chunksOf(text)), readListener([text])),
  },
  {
    name: 'call',
    seeds: [
      encodeCall('supervisor.startProcess', ['a:b', true, -3, 1.5, ['x', { y: [] }]]),
      '<?xml version="1.0"?><methodCall><methodName>a</methodName><params><param><value>x</value></param></params>' +
        '</methodCall>',
      '<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>1</int></value></member>' +
        '<member><name>faultString</name><value>x</value></member></struct></value></fault></methodResponse>',
      '<methodResponse><params><param><value><dateTime.iso8601>20260101T00:00:00</dateTime.iso8601></value></param>' +
        '</params></methodResponse>',
    ],
    words: ['<value>', '</value>', '<i4>', '</i4>', '<nil/>', '<base64>', '&lt;', '&#x41;', '<![CDATA[', ']]>', '<!--'],
    run: (text) => {
      for (const decode of [decodeCall, decodeResponse])
        try {
          const decoded = decode(text);
          if (!('method' in decoded)) continue;
          // The first encoding replaces characters that XML cannot carry.
          const carried = decodeCall(encodeCall(decoded.method, decoded.params));
          assert.deepEqual(decodeCall(encodeCall(carried.method, carried.params)), carried);
        } catch (error) {
          if (!(error instanceof XmlRpcSyntaxError)) throw error;
        }
    },
  },
];

for (const target of TARGETS) {
  test(`${target.name}: no text breaks its parser`, (context) => {
    const { cases, kept, blocks } = fuzz(target, bySize({ brief: 1500, long: 60_000 }));
    context.diagnostic(`${target.name}: ${cases} cases, ${kept} inputs kept, ${blocks} blocks reached`);
  });
}
