import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLineError } from '../../../src/core/command-line.ts';
import { formatProbe, parseProbe, ProbeError } from '../../../src/core/probe.ts';

test('an HTTP check is parsed once, when the configuration is read', () => {
  assert.deepEqual(parseProbe('https://user:p%40ss@[::1]/a%20b?c=d#e'), {
    kind: 'http',
    url: 'https://user:p%40ss@[::1]/a%20b?c=d#e',
    isSecure: true,
    host: '::1',
    port: 443,
    path: '/a%20b?c=d',
    hostHeader: '[::1]',
    auth: 'user:p@ss',
  });
  assert.deepEqual(parseProbe('http://web:8080'), {
    kind: 'http',
    url: 'http://web:8080',
    isSecure: false,
    host: 'web',
    port: 8080,
    path: '/',
    hostHeader: 'web:8080',
    auth: null,
  });
});

test('an HTTP check without a port has the port of its scheme', () => {
  const portOf = (text: string): number | undefined => {
    const probe = parseProbe(text);
    return probe.kind === 'http' ? probe.port : undefined;
  };
  assert.deepEqual(['http://h', 'https://h'].map(portOf), [80, 443]);
});

test('every kind is formatted as it was written', () => {
  for (const text of ['http://h/', 'tcp://h:1', 'tcp://[::1]:1', 'unix:///s', 'curl -f x'])
    assert.equal(formatProbe(parseProbe(text)), text);
});

test('a check that could never run is an error', () => {
  const refused: ReadonlyArray<readonly [string, RegExp]> = [
    ['', /^a check: /],
    ['ftp://h/', /^a check: /],
    ['http://', /^a URL, /],
    ['http://u%zz:p@h/', /a percent sign in it is written %25$/],
    ['tcp://h', /^an address, for example tcp:/],
    ['tcp://h:0', /^an address, for example tcp:/],
    ['tcp://h:65536', /^an address, for example tcp:/],
    ['unix://s', /absolute path/],
    ['  ', /^a command$/],
  ];
  for (const [text, expected] of refused)
    assert.throws(
      () => parseProbe(text),
      (error) => error instanceof ProbeError && expected.test(error.message),
      text,
    );
  assert.throws(() => parseProbe("sh -c 'x"), CommandLineError);
});
