/** The variables of Kubernetes services. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isServiceLink } from '../../../src/core/service-links.ts';

test('all variables of a service are recognized, by name and value', () => {
  const rows: ReadonlyArray<readonly [string, string]> = [
    ['ONEVISOR_SERVICE_HOST', '10.96.0.7'],
    ['ONEVISOR_SERVICE_HOST', 'fd00::7'],
    ['ONEVISOR_SERVICE_PORT', '80'],
    ['ONEVISOR_SERVICE_PORT_HTTP_WEB', '80'],
    ['ONEVISOR_PORT', 'tcp://10.96.0.7:80'],
    ['ONEVISOR_PORT', 'tcp://[fd00::7]:80'],
    ['ONEVISOR_PORT_80_TCP', 'tcp://10.96.0.7:80'],
    ['ONEVISOR_PORT_80_TCP_PROTO', 'tcp'],
    ['ONEVISOR_PORT_53_UDP_PORT', '53'],
    ['ONEVISOR_PORT_80_SCTP_ADDR', '10.96.0.7'],
    ['ONEVISOR_PROGRAM_API_PORT', 'udp://10.96.0.7:53'],
    ['ONEVISOR_PROGRAM_API_SERVICE_HOST', '10.96.0.7'],
  ];
  for (const [name, value] of rows) assert.ok(isServiceLink(name, value), `${name}=${value}`);
});

test('similar variables are not recognized', () => {
  const rows: ReadonlyArray<readonly [string, string]> = [
    ['ONEVISOR_PROGRAM_PORT', 'serve'],
    ['ONEVISOR_PROGRAM_API_PORT', 'serve tcp://10.96.0.7:80'],
    ['ONEVISOR_PORT', '80'],
    ['ONEVISOR_SERVICE_HOST', 'web'],
    ['ONEVISOR_PROGRAM_WEB', 'tcp://10.96.0.7:80'],
    ['ONEVISOR_SERVICE_PORT', '80 81'],
  ];
  for (const [name, value] of rows) assert.ok(!isServiceLink(name, value), `${name}=${value}`);
});
