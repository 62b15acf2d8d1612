/** For every option that is our addition: an invalid value is an error with file, line, section, option and advice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sectionKinds } from '../../../src/config/options.ts';
import { printed, readText } from './memory-source.ts';

/**
 * For each type: an invalid value, and the text of the error after `"value" is not `. Null: every text is valid, and
 * the file or command is looked up at each start.
 */
const WRONG: Readonly<Record<string, readonly [value: string, expected: RegExp] | null>> = {
  boolean: ['perhaps', /"perhaps" is not true or false/],
  'raw \\| prefix \\| json \\| logfmt': ['xml', /"xml" is not one of raw, prefix, json, logfmt/],
  template: ['%%(nope)s | %(nope)s', /is not a name of a log prefix; there are %\(process_name\)s/],
  'iso8601 \\| none': ['always', /"always" is not one of iso8601, none/],
  'nest \\| message \\| pass \\| string': ['flat', /"flat" is not one of nest, message, pass, string/],
  'hourly \\| daily \\| weekly \\| seconds': ['monthly', /"monthly" is not /],
  'exit codes': ['256', /"256" is not a list of exit codes: numbers from 0 to 255/],
  seconds: [
    'soon',
    /"soon" is not a duration: a number of seconds, or with units: 500ms, 30s, 1m30s, 2h, 1d|"soon" is not /,
  ],
  number: ['0.5', /"0\.5" is not a number of 1 or more/],
  integer: ['many', /"many" is not a whole number/],
  'signal:name[=signal], …': ['USR1', /"USR1" is not a signal and a program, for example USR1:web, or TERM:web=QUIT/],
  signals: ['WINCH, KILL', /"KILL" is not a signal that the supervisor can handle, for example WINCH or USR1/],
  'never \\| stop \\| always \\| cgroup': ['sometimes', /"sometimes" is not one of never, stop, always, cgroup/],
  'name[:condition], …': ['nobody', /there is no program, group or process named "nobody"/],
  'never \\| stop \\| always': ['sometimes', /"sometimes" is not one of never, stop, always/],
  'name[:condition][:restart], …': ['nobody', /there is no program, group or process named "nobody"/],
  // Validated only with the plug-in of that name. There, an unknown name is a warning.
  'name:state[,state] …': null,
  'http://… \\| tcp://host:port \\| unix:///path \\| command': [
    'tcp://localhost',
    /"tcp:\/\/localhost" is not an address, for example tcp:\/\/localhost:5432/,
  ],
  'none \\| restart \\| exit': ['stop', /"stop" is not one of none, restart, exit/],
  regex: ['(a)\\1', /"\(a\)\\1" is not a valid pattern: "\\1" refers back to a group/],
  sd: ['s6', /"s6" is not one of sd/],
  '[-]path, …': null,
  words: null,
  path: null,
  events: ['fatale', /there is no event named "fatale" \(did you mean fatal\?\)/],
  'http://… \\| https://…': [
    'ftp://secret.example.org',
    /the value is not shown, since it may be a secret: expected a URL/,
  ],
  '[NAME=]URL, …': ['ftp://secret', /entry 1: an address is not understood: write http:\/\/host:port, https:/],
  JSON: ['{"text": %(message)s}', /the template is not JSON; for example \{"text": "%\(message\)s"\}/],
  'KEY="value",…': ['X', /expected/],
  statuses: ['2xx', /"2xx" is not statuses, for example 200-299,401/],
  names: ['A=b', /"A=b" is no name of a variable; write names, such as PATH, LC_\*/],
  'true, false, or names': ['A=b', /"A=b" is no name of a variable; write names without _FILE/],
  text: null,
  'metrics \\| read \\| admin': ['root', /"root" is not one of metrics, read, admin/],
  'path, …': ['conf/*.py', /"conf\/\*\.py" is not an absolute path, with \*, \? and \*\* as wildcards/],
  mode: ['0440', /"0440" is not an octal mode up to 0777 by which its owner can write, for example 0640/],
  'user[:group]': ['no-such-user', /"no-such-user" is not a user of this system; create it, or name another one/],
  'soft[:hard]': ['9:3', /the soft limit 9 is above the hard limit/],
  'address[;mode=…], …': ['udp://0.0.0.0:80', /"udp:\/\/0\.0\.0\.0:80" is not a socket: tcp:\/\/host:port/],
  COLUMNSxROWS: ['80', /"80" is not a size as COLUMNSxROWS, for example 80x24/],
  characters: ['7', /"7" is not a whole number of 8 or more, or 0/],
  processors: ['0', /"0" is not a number of processors, for example 0\.5 or 2/],
  'drop-all, +name, -name': [
    '+net_bnd_service',
    /"\+?net_bnd_service" is not the name of a capability \(did you mean net_bind_service/,
  ],
  columns: ['7', /"7" is not a whole number of 8 or more, or 0/],
  size: ['300 megabytes', /"300 megabytes" is not a size/],
  signal: ['TREM', /"TREM" is not a signal/],
  schedule: ['61 * * * *', /61/],
  'time zone': ['Berlin', /"Berlin" is not a time zone, for example Europe\/Berlin or UTC/],
  command: ["sh -c 'x", /cannot be split into words: No closing quotation; close the quote/],
};

/** Creates a section with its required options. */
const SECTIONS: Readonly<Record<string, string>> = {
  unix_http_server: '[supervisord]\n[unix_http_server]\nfile=/tmp/s\n',
  inet_http_server: '[supervisord]\n[inet_http_server]\nport=127.0.0.1:1\n',
  supervisord: '[supervisord]\n',
  'program-default': '[supervisord]\n[program:web]\ncommand=x\n[program-default]\n',
  'program:x': '[supervisord]\n[program:x]\ncommand=x\n',
  'notify:x': '[supervisord]\n[notify:x]\nevents=fatal\n',
  'api_user:x': '[supervisord]\n[api_user:x]\n',
  dashboard: '[supervisord]\n[dashboard]\n',
};

for (const { title, tables } of sectionKinds) {
  const additions = Object.entries(tables.at(-1) ?? {}).filter(([, { isAddition }]) => isAddition);
  const head = SECTIONS[title];
  for (const [name, { type }] of additions) {
    assert.ok(
      head !== undefined && type.name in WRONG,
      `a wrong value of [${title}] ${name} (${type.name}) is not known here`,
    );
    const wrong = WRONG[type.name];
    if (wrong === null || wrong === undefined) continue;
    test(`[${title}] ${name}=${wrong[0]}`, () => {
      const line = head.split('\n').length;
      const all = printed(readText(`${head}${name}=${wrong[0]}\n`).errors);
      // A [notify:x] without a way of delivery, and an [api_user:x] without a password, have errors of their own.
      const error = all.find((line) => line.includes(`] ${name}: `)) ?? '';
      const section =
        title === 'program:x' || title === 'program-default' ? '\\[program(:x|:web|-default)\\]' : `\\[${title}\\]`;
      assert.match(error, new RegExp(`^/etc/supervisord\\.conf:${line}: ${section} ${name}: `));
      assert.match(error, wrong[1]);
    });
  }
}
