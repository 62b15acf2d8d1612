/**
 * Published plug-ins of Supervisor: the replacement that a warning names, and the options that belong to the plug-in.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printed, readText } from './memory-source.ts';

const HEAD = '[supervisord]\n';
const warningsOf = (text: string, files: Readonly<Record<string, string>> = {}, isStatic = false): string[] =>
  printed(readText(HEAD + text, { files, env: { PATH: '/usr/bin:/opt/bin' } }, { isStatic }).warnings).map((line) =>
    line.replace('/etc/supervisord.conf:', ''),
  );

const factories: ReadonlyArray<readonly [factory: string, instead: RegExp]> = [
  [
    'supervisorwildcards.rpcinterface:make_wildcards_rpcinterface',
    /use wildcards in names: supervisorctl restart 'web\*'$/,
  ],
  ['supervisor_wildcards.controllerplugin:make', /use wildcards in names/],
  ['supervisor_quick:QuickControllerPlugin', /use supervisorctl stop all, which stops programs in parallel$/],
  ['supervisorserialrestart.controllerplugin:make_serialrestart_controllerplugin', /restart --rolling$/],
  ['supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface', /included file and run supervisorctl update$/],
  ['mr.laforge.rpcinterface:make_laforge_rpcinterface', /use supervisorctl start, which waits/],
];
for (const [factory, instead] of factories) {
  test(`the warning about ${factory} names the built-in replacement`, () => {
    const [method = '', command = ''] = warningsOf(
      `[rpcinterface:x]\nsupervisor.rpcinterface_factory=${factory}\n[ctlplugin:x]\n` +
        `supervisor.ctl_factory=${factory}\n`,
    );
    assert.match(method, /^2: \[rpcinterface:x\] .* its methods are not available; /);
    assert.match(method, instead);
    assert.match(command, /^4: \[ctlplugin:x\] .* its commands are not available; /);
    assert.match(command, instead);
  });
}

test('the warning about an unknown plug-in names no replacement', () => {
  assert.match(
    warningsOf('[ctlplugin:x]\nsupervisor.ctl_factory=a.b:c\n')[0] ?? '',
    /"a\.b:c" is Python and cannot be loaded; its commands are not available$/,
  );
});

const listeners: ReadonlyArray<readonly [command: string, instead: RegExp]> = [
  [
    'memmon -p web=200MB',
    new RegExp(
      String.raw`^4: \[eventlistener:x\] command: "memmon" is not installed; use the ` +
        String.raw`built-in memory limit: max_memory=300MB in \[program:x\]$`,
    ),
  ],
  [
    '/usr/local/bin/httpok -p web http://localhost/',
    /"\/usr\/local\/bin\/httpok" is not installed; .*healthcheck=http:/,
  ],
  ['crashmail -a -m me@example.com', /"crashmail" is not installed; use a section \[notify:x\] with events=fatal/],
  ['superslacker --webhook=x', /\[notify:x\] with url= of a webhook/],
  ['python3 /opt/supervisord-watchdog.py', /"python3" is not installed; .*exit_on_failure=true/],
  ['ordered-startup-listener', /depends_on=NAME/],
  ['supervisor_logging', /stdout_logfile=syslog:\/\/HOST:514/],
];
for (const [command, instead] of listeners) {
  test(`the warning about ${command} names the built-in replacement if the command is not installed`, () => {
    const section = `[eventlistener:x]\nevents=EVENT\ncommand=${command}\n`;
    assert.match(warningsOf(section)[0] ?? '', instead);
    const [program = ''] = command.split(' ');
    const path = program.startsWith('/') ? program : `/opt/bin/${program}`;
    assert.deepEqual(warningsOf(section, { [path]: '', '/opt/supervisord-watchdog.py': '' }), []);
    assert.match(warningsOf(section, {}, true)[0] ?? '', /needs Python; /);
  });
}

test('an interpreter is installed, and the plug-in that it is to run is not', () => {
  const of = (command: string): string[] =>
    warningsOf(`[eventlistener:x]\nevents=EVENT\ncommand=${command}\n`, { '/opt/bin/python3': '' });
  assert.match(of('python3 /usr/local/bin/crashmail -a')[0] ?? '', /"\/usr\/local\/bin\/crashmail" is not installed; /);
  assert.match(of('python3 -u /opt/memmon -a')[0] ?? '', /"\/opt\/memmon" is not installed; use the built-in memory/);
  // Where Python looks for a module is not known here.
  assert.deepEqual(of('python3 -m supervisor_logging'), []);
});

test('the program of a listener is searched in the PATH of that listener', () => {
  assert.deepEqual(
    warningsOf('[eventlistener:x]\nevents=EVENT\ncommand=memmon\nenvironment=PATH="/own"\n', { '/own/memmon': '' }),
    [],
  );
  assert.deepEqual(warningsOf('[eventlistener:x]\nevents=EVENT\ncommand=mine\n'), []);
});

test('program options of a configured plug-in are known, and unknown without the plug-in', () => {
  const program = '[program:w]\ncommand=x\nstartinorder=true\n';
  assert.deepEqual(
    warningsOf(`${program}[eventlistener:x]\nevents=EVENT\ncommand=/bin/ordered-startup-supervisord\n`, {
      '/bin/ordered-startup-supervisord': '',
    }),
    [],
  );
  assert.match(
    warningsOf(`${program}[eventlistener:x]\nevents=EVENT\ncommand=/bin/other\n`)[0] ?? '',
    /startinorder: there is no such option/,
  );
});
