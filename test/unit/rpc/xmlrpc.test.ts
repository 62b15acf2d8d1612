/** The XML-RPC codec: encoding and decoding are inverse, Python agrees, and hostile texts are harmless. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  decodeCall,
  decodeResponse,
  encodeCall,
  encodeFault,
  encodeResponse,
  MAX_DEPTH,
  XmlRpcSyntaxError,
} from '../../../src/rpc/xmlrpc.ts';
import type { XmlRpcValue } from '../../../src/rpc/xmlrpc.ts';

const python = spawnSync('python3', ['-c', 'import xmlrpc.client']).status === 0;
const needsPython = python ? {} : { skip: 'no python3 with xmlrpc.client on this machine' };

/** Runs a Python program with a text as its input. Returns its output. */
function runPython(program: string, input: string): string {
  const run = spawnSync('python3', ['-c', program], {
    input,
    encoding: 'utf8',
    env: { ...process.env, PYTHONIOENCODING: 'utf-8' },
  });
  assert.equal(run.status, 0, run.stderr);
  return run.stdout;
}

/** Returns the value of an answer that is not a fault. */
function decodeValue(text: string): XmlRpcValue {
  const response = decodeResponse(text);
  assert.equal(response.kind, 'value');
  return response.kind === 'value' ? response.value : null;
}

/** Formats an answer with a given value. */
function answer(typed: string): string {
  return (
    `<?xml version="1.0" ` +
    `encoding="UTF-8"?><methodResponse><params><param><value>${typed}</value></param></params></methodResponse>`
  );
}

const carried = fc
  .string({ unit: 'grapheme' })
  .filter((text) => !/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(text) && text.isWellFormed());
const blank = fc
  .array(fc.constantFrom(' ', '\t', '\n', '\r', 'x', '&', '<', '>', ']]>', '&amp;', '\u00a0'))
  .map((parts) => parts.join(''));
const text = fc.oneof(carried, blank);
const { tree } = fc.letrec<{ tree: XmlRpcValue }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', maxDepth: 8 },
    text,
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array(),
    fc
      .date({ min: new Date(0), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
      .map((date) => new Date(Math.floor(date.getTime() / 1000) * 1000)),
    fc.array(tie('tree')),
    fc.dictionary(text, tie('tree'), { noNullPrototype: true }),
  ),
}));

describe('the XML-RPC codec', () => {
  it('decodes every value that it encodes', () => {
    fc.assert(fc.property(tree, (value) => assert.deepEqual(decodeValue(encodeResponse(value)), value)));
    fc.assert(
      fc.property(carried, fc.array(tree), (method, params) => {
        fc.pre(method.trim() === method && method !== '');
        assert.deepEqual(decodeCall(encodeCall(method, params)), { method, params });
      }),
    );
    fc.assert(
      fc.property(fc.integer(), text, (code, reason) =>
        assert.deepEqual(decodeResponse(encodeFault(code, reason)), { kind: 'fault', code, text: reason }),
      ),
    );
  });

  it('replaces characters that XML cannot carry, and keeps all others', () => {
    assert.equal(
      decodeValue(encodeResponse('a\x00b\x1b[31m\ud800c\udc00\uffff\tend\n')),
      'a\ufffdb\ufffd[31m\ufffdc\ufffd\ufffd\tend\n',
    );
    assert.equal(decodeValue(encodeResponse('\u{1f600} é')), '\u{1f600} é');
  });

  it('keeps white space: alone, at the beginning and end, around line ends', () => {
    for (const value of ['', ' ', '\n', ' \t\n ', '  a  ', '\r\n', 'a\r\nb\rc\n'])
      assert.equal(decodeValue(encodeResponse(value)), value);
    assert.equal(decodeValue(answer('  untyped  ')), '  untyped  ');
    assert.equal(decodeValue(answer('')), '');
    assert.equal(decodeValue(answer('<string/>')), '');
    assert.equal(decodeValue(answer('\n  <int> 5 </int>\n')), 5);
    assert.equal(decodeValue(answer('<string> <![CDATA[ <b>&amp; ]]> </string>')), '  <b>&amp;  ');
    assert.equal(decodeValue(answer('<string>a<!-- gone -->b</string>')), 'ab');
  });

  it('decodes every type of number, boolean, date and nil', () => {
    const cases: Array<[string, XmlRpcValue]> = [
      ['<i4>-7</i4>', -7],
      ['<int>-0</int>', 0],
      ['<int>+7</int>', 7],
      ['<i8>9007199254740991</i8>', 9007199254740991],
      ['<i1>1</i1>', 1],
      ['<i2>2</i2>', 2],
      ['<boolean>1</boolean>', true],
      ['<boolean>0</boolean>', false],
      ['<boolean>true</boolean>', true],
      ['<double>-1.5e3</double>', -1500],
      ['<double>.5</double>', 0.5],
      ['<double>-inf</double>', -Infinity],
      ['<nil/>', null],
      ['<nil></nil>', null],
      ['<base64>\nAAEC\n/w==\n</base64>', Uint8Array.of(0, 1, 2, 255)],
      ['<dateTime.iso8601>20240229T23:59:58</dateTime.iso8601>', new Date('2024-02-29T23:59:58Z')],
      ['<array><data/></array>', []],
      ['<struct/>', {}],
    ];
    for (const [typed, value] of cases) assert.deepEqual(decodeValue(answer(typed)), value, typed);
  });

  it('a member with a dangerous name is an own property and changes no prototype', () => {
    const member = (name: string): string =>
      `<member><name>${name}</name><value><struct>` +
      '<member><name>polluted</name><value>yes</value></member></struct></value></member>';
    const value = decodeValue(
      answer(`<struct>${member('__proto__')}${member('constructor')}${member('toString')}</struct>`),
    );
    assert.deepEqual(Object.keys(value as object), ['__proto__', 'constructor', 'toString']);
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });

  it('refuses malformed texts with one type of error', () => {
    const deep = (levels: number): string =>
      answer('<array><data><value>'.repeat(levels) + '</value></data></array>'.repeat(levels));
    const wrong: string[] = [
      '',
      ' ',
      'hello',
      '<',
      '<a',
      '<a>',
      '</a>',
      '<a></b>',
      '<methodResponse/>',
      '<methodResponse></methodResponse><x/>',
      '<!DOCTYPE a>',
      '<?xml?>',
      '<![CDATA[',
      '<!--',
      '<a b="',
      '\u0000',
      '<!DOCTYPE x [<!ENTITY e ' +
        '"expanded">]><methodResponse><params><param><value>&e;</value></param></params></methodResponse>',
      '<!DOCTYPE x SYSTEM ' +
        '"file:///etc/passwd"><methodResponse><params><param><value>1</value></param></params></methodResponse>',
      answer('<string>&e;</string>'),
      answer('<string>&eacute;</string>'),
      answer('<string>a & b</string>'),
      answer('<string>&#0;</string>'),
      answer('<string>&#xD800;</string>'),
      answer('<string>&#1114112;</string>'),
      answer('<string>&amp</string>'),
      answer('<int>1.5</int>'),
      answer('<int></int>'),
      answer('<int>9007199254740993</int>'),
      answer('<int>0x10</int>'),
      answer('<boolean>2</boolean>'),
      answer('<double>one</double>'),
      answer('<double></double>'),
      answer('<base64>*</base64>'),
      answer('<dateTime.iso8601>today</dateTime.iso8601>'),
      answer('<dateTime.iso8601>20241399T00:00:00</dateTime.iso8601>'),
      answer('<int>1</int><int>2</int>'),
      answer('<string><i4>1</i4></string>'),
      answer('<array><boolean>1</boolean><data></data></array>'),
      answer('<array><data></data><data></data></array>'),
      answer('<struct><member><name>x</name><value>1</value><value>2</value></member></struct>'),
      answer('<thing/>'),
      answer('<array/>'),
      answer('<array><data><int>1</int></data></array>'),
      answer('<struct><name>x</name></struct>'),
      answer('<struct><member><name>x</name></member></struct>'),
      answer('<__proto__>1</__proto__>'),
      answer('<constructor/>'),
      answer('<hasOwnProperty/>'),
      deep(MAX_DEPTH),
      encodeCall('x', []),
      '<methodResponse><fault><value>1</value></fault></methodResponse>',
      '<methodResponse><params/></methodResponse>',
    ];
    for (const document of wrong)
      assert.throws(() => decodeResponse(document), XmlRpcSyntaxError, document.slice(0, 200));
    for (const document of [
      '<methodCall/>',
      '<methodCall><methodName>x</methodName><methodName>y</methodName></methodCall>',
      '<methodCall><methodName>x<b/></methodName></methodCall>',
      '<methodCall><methodName>x</methodName><boolean>1</boolean></methodCall>',
      '<methodCall><methodName>x</methodName><params><param><value/><value/></param></params></methodCall>',
      '<methodCall><methodName> </methodName></methodCall>',
      encodeResponse(1),
      '<methodCall><methodName>x</methodName><params><value>1</value></params></methodCall>',
    ]) {
      assert.throws(() => decodeCall(document), XmlRpcSyntaxError, document);
    }
    assert.deepEqual(decodeValue(deep(20)), JSON.parse('['.repeat(20) + '""' + ']'.repeat(20)));
  });

  it('any damaged text is decoded or refused with that error, never with another', () => {
    const valid = encodeCall('supervisor.startProcess', ['web:1', true, { a: [1, 2.5, null], b: Uint8Array.of(1) }]);
    const piece = fc.constantFrom(
      '',
      '<',
      '>',
      '&',
      '</',
      '<value>',
      '</value>',
      '<![CDATA[',
      ']]>',
      '<!--',
      '-->',
      '<?',
      '?>',
      '<!DOCTYPE',
      '"',
      '=',
      '&#',
      ';',
      '\0',
      '/',
      '__proto__',
    );
    fc.assert(
      fc.property(fc.nat(valid.length), fc.nat(12), piece, (at, length, insert) => {
        try {
          decodeCall(valid.slice(0, at) + insert + valid.slice(at + length));
        } catch (error) {
          assert.ok(error instanceof XmlRpcSyntaxError, String(error));
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('parses hostile texts of a megabyte in linear time', () => {
    const size = 1_000_000;
    const hostile = [
      '<'.repeat(size),
      '&'.repeat(size),
      '<a '.repeat(size / 3),
      `<a ${'x '.repeat(size / 2)}>`,
      `<a ${'x="1" '.repeat(size / 6)}/>`,
      `<a${' '.repeat(size)}`,
      '<!--'.repeat(size / 4),
      '<![CDATA['.repeat(size / 9),
      '<a>'.repeat(size / 3),
      '<?x '.repeat(size / 4),
      '<a/>'.repeat(size / 4),
      answer('&amp;'.repeat(size / 5)),
      answer('<'.repeat(size)),
      answer(`<string>${'&#1'.repeat(size / 3)}`),
    ];
    for (const document of hostile) {
      const began = process.cpuUsage();
      try {
        decodeResponse(document);
      } catch (error) {
        assert.ok(error instanceof XmlRpcSyntaxError, String(error));
      }
      // Processor time, since elapsed time also depends on other processes.
      const { user, system } = process.cpuUsage(began);
      assert.ok(user + system < 5_000_000, `${document.slice(0, 30)}… took ${user + system} µs`);
    }
  });

  it("Python reads our encoding, and we read Python's", needsPython, () => {
    const value: XmlRpcValue = [
      { name: 'web', spawnerr: '', pid: 42, now: 1_900_000_000_000, half: 0.5, 'a<b>&"\'': ' \r\n\t é \u{1f600} ' },
      [],
      {},
      true,
      false,
      null,
      '',
      -0.25,
      'x',
    ];
    const echo =
      'import sys, json, xmlrpc.client as x\nv = x.loads(sys.stdin.read())[0][0]\nsys.stdout.write(json.dumps(v))';
    assert.deepEqual(JSON.parse(runPython(echo, encodeResponse(value))), value);
    assert.deepEqual(JSON.parse(runPython(echo, encodeCall('supervisor.x', [value]))), value);
    const back =
      'import sys, json, xmlrpc.client as x\n' +
      'sys.stdout.write(x.dumps((json.load(sys.stdin),), methodresponse=True, allow_none=True))';
    // Python writes a raw carriage return, which every XML parser reads as a newline.
    const read = JSON.parse(JSON.stringify(value).replaceAll('\\r\\n', '\\n'));
    assert.deepEqual(
      decodeValue(runPython(back, JSON.stringify(value).replaceAll('1900000000000', '1900000000'))),
      JSON.parse(JSON.stringify(read).replaceAll('1900000000000', '1900000000')),
    );
    const fault =
      'import sys, xmlrpc.client as x\ntry:\n  x.loads(sys.stdin.read())\nexcept x.Fault as f:\n' +
      '  sys.stdout.write("%d %s" % (f.faultCode, f.faultString))';
    assert.equal(runPython(fault, encodeFault(10, 'BAD_NAME: a<b')), '10 BAD_NAME: a<b');
  });

  it('the layout is byte for byte that of Python, since scripts grep it', needsPython, () => {
    const program =
      'import sys, xmlrpc.client as x\n' +
      'v = {"a": 1, "b": [True, 1.5, "x<y>&z \\u00e9", [], {}], "c": x.Binary(bytes(range(120)))}\n' +
      'sys.stdout.write(x.dumps((v,), methodresponse=True) + x.dumps((1, v), "supervisor.m") + x.dumps((), ' +
      '"m") + x.dumps(x.Fault(10, "BAD_NAME")))';
    const value: XmlRpcValue = {
      a: 1,
      b: [true, 1.5, 'x<y>&z é', [], {}],
      c: Uint8Array.from({ length: 120 }, (_, index) => index),
    };
    assert.equal(
      encodeResponse(value) +
        encodeCall('supervisor.m', [1, value]) +
        encodeCall('m', []) +
        encodeFault(10, 'BAD_NAME'),
      runPython(program, ''),
    );
  });
});
