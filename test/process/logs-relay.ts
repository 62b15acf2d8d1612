/**
 * Relays the output of a shell command to our standard streams, in a process of its own. For tests that need real
 * standard streams. Arguments: the command, the value of `--color`.
 */
import { Sequence } from '../../src/core/sequence.ts';
import { LogHub } from '../../src/logs/hub.ts';
import type { ColorChoice } from '../../src/logs/ports.ts';
import { INHERITED } from '../../src/native/addon.ts';
import { loadAddon } from '../../src/native/load.ts';
import { RealClock, channelSpec, stdoutAs } from './logs-fixtures.ts';

const [script = '', color = 'auto'] = process.argv.slice(2);
const addon = loadAddon();
const hub = new LogHub(
  {
    natives: addon,
    clock: new RealClock(),
    sequence: new Sequence(),
    color: color as ColorChoice,
    noColor: (process.env['NO_COLOR'] ?? '') !== '',
    streams: { 1: 1, 2: 2 },
  },
  { level: 'info', targets: [], console: stdoutAs('raw', 2), name: 'onevisor', tailBytes: 0 },
);
const { stdout, pid } = addon.spawn({
  ...INHERITED,
  file: '/bin/sh',
  argv: ['sh', '-c', script],
  env: ['PATH=/usr/local/bin:/usr/bin:/bin'],
  stdin: 'null',
  stdout: 'pipe',
  stderr: 'null',
  leadership: 'group',
});
// The watch of a pipe does not keep the loop alive.
const hold = setInterval(() => undefined, 60_000);
await hub.openChannel(channelSpec('relayed')).read(stdout as number, pid).ended;
await hub.flush(60_000);
clearInterval(hold);
