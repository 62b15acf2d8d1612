/** Programs with fewer privileges than the supervisor: capabilities and no_new_privs. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseCapabilitySet } from '../../src/core/capabilities.ts';
import { launch, pid1SkipReason } from './launch.ts';

const NET_BIND_SERVICE = 10;
const NET_RAW = 13;
const own = /^CapEff:\s*(\w+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
const isRoot = process.getuid?.() === 0 && parseCapabilitySet(own).includes(8);
const skip = (await pid1SkipReason()) ?? (isRoot ? false : 'only root with CAP_SETPCAP can give capabilities');

test(
  'capabilities and no_new_privs are those of the configuration, for programs and their hooks',
  { skip },
  async (t) => {
    const launched = await launch(t, {
      config: `[supervisord]
[unix_http_server]
file=%FOLDER%/s.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[program-default]
command=sh -c "grep -E '^(Cap|NoNewPrivs)' /proc/self/status; exec sleep 1000"
[program:user]
user=nobody
directory=/
capabilities=drop-all,+NET_BIND_SERVICE
no_new_privs=true
pre_start_command=grep NoNewPrivs /proc/self/status
[program:root]
capabilities=-cap_net_raw
[program:plain]
`,
    });
    await launched.waitForLine(/plain entered RUNNING/);
    await launched.waitForLine(/user entered RUNNING/);
    const { text } = launched.stdout;
    const setsOf = (name: string): Record<string, number[]> =>
      Object.fromEntries(
        [...text.matchAll(new RegExp(`^${name} +\\| Cap(\\w+):\\s*(\\w+)$`, 'gm'))].map(([, set = '', digits = '']) => [
          set,
          parseCapabilitySet(digits),
        ]),
      );
    const one = [NET_BIND_SERVICE];
    assert.deepEqual(setsOf('user'), { Inh: one, Prm: one, Eff: one, Bnd: one, Amb: one });
    const plain = setsOf('plain');
    assert.ok(plain['Eff']?.includes(NET_RAW));
    const without = (set: string): number[] => (plain[set] ?? []).filter((number) => number !== NET_RAW);
    assert.deepEqual(setsOf('root'), { ...plain, Prm: without('Prm'), Eff: without('Eff'), Bnd: without('Bnd') });
    const privileges = [...text.matchAll(/^(\w+) +\| NoNewPrivs:\s*(\d)$/gm)].map(
      ([, name, flag]) => `${name} ${flag}`,
    );
    assert.deepEqual(privileges.toSorted(), ['plain 0', 'root 0', 'user 1', 'user 1']);
    const ran = await launched.ctl('run', 'user', '--', 'grep', '-E', '^(CapEff|NoNewPrivs)', '/proc/self/status');
    assert.match(`${ran.stdout}${ran.stderr}`, /^CapEff:\s*0{13}400\nNoNewPrivs:\s*1$/m);
  },
);

test('a capability that the supervisor does not have is an error of the start', { skip }, async (t) => {
  const launched = await launch(t, {
    under: ['setpriv', '--bounding-set=-net_raw', '--inh-caps=-net_raw'],
    config: '[supervisord]\n[program:web]\ncommand=sleep 1000\ncapabilities=+net_raw\nstartretries=0\n',
  });
  await launched.waitForLine(
    /spawnerr: cannot set the capabilities of 'web': the supervisor itself does not have CAP_NET_RAW; give it to/,
  );
});
