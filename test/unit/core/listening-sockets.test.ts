/** Listening sockets in the tables of the kernel. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTcpTable, parseUnixTable } from '../../../src/core/listening-sockets.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const row = (local: string, state: string, inode: number): string =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0 100\n`;

test('TCP: only sockets that listen, with their addresses', () => {
  const text =
    HEAD +
    row('00000000:0050', '0A', 11) +
    row('0100007F:1F90', '0A', 12) +
    row('0100007F:1F91', '01', 13) +
    row('00000000000000000000000000000000:01BB', '0A', 14) +
    row('00000000000000000000000001000000:0016', '0A', 15) +
    row('B80D0120000000000000000001000000:0017', '0A', 16) +
    row('B80D0120010000000200000003000000:FFFF', '0A', 17) +
    row('FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF:0001', '0A', 18) +
    row('nonsense:0050', '0A', 19);
  assert.deepEqual(
    [...parseTcpTable(text)],
    [
      ['11', '0.0.0.0:80'],
      ['12', '127.0.0.1:8080'],
      ['14', '[::]:443'],
      ['15', '[::1]:22'],
      ['16', '[2001:db8::1]:23'],
      ['17', '[2001:db8:0:1:0:2:0:3]:65535'],
      ['18', '[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:1'],
    ],
  );
});

test('unix: only sockets with a path that accept connections', () => {
  const text =
    'Num       RefCount Protocol Flags    Type St Inode Path\n' +
    '000000001ead61fa: 00000002 00000000 00010000 0001 01 1588431 /run/my app.sock\n' +
    '000000001ead61fb: 00000002 00000000 00010000 0001 01 1588432 @abstract\n' +
    '000000001ead61fc: 00000003 00000000 00000000 0001 03 1588433 /run/connected\n' +
    '00000000809490d0: 00000003 00000000 00010000 0001 03 1575161\n';
  assert.deepEqual(
    [...parseUnixTable(text)],
    [
      ['1588431', '/run/my app.sock'],
      ['1588432', '@abstract'],
    ],
  );
});
