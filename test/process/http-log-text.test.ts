/** With any requests, the log of the supervisor has short lines of printable characters, and no text of a client. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inWorld, post } from '../unit/http/server-world.ts';

const FORGED = '\x1b]0;owned\x07\r\n2026-01-01 00:00:00,000 INFO forged\u202e\u2028\u009b31m';
const LONG = FORGED.repeat(2000);

/** Formats a call with parameters in XML. */
const callOf = (method: string, ...params: readonly string[]): string => {
  const list = params.map((param) => `<param><value>${param}</value></param>`).join('');
  return `<methodCall><methodName>${method}</methodName><params>${list}</params></methodCall>`;
};

const call = (typed: string): string => callOf('supervisor.getState', typed);

/** Requests with text of the client at a place where the server reports an error. */
const BODIES: ReadonlyArray<(text: string) => string> = [
  (text) => text,
  (text) => `<${text}>`,
  (text) => `<a ${text}>`,
  (text) => `<a b="${text}`,
  (text) => `<a></${text}>`,
  (text) => `<a>&${text};</a>`,
  (text) => `<a/>${text}`,
  (text) => `<!DOCTYPE ${text}>`,
  (text) => `<![CDATA[${text}]]>`,
  (text) => `<?x ${text}`,
  ...['int', 'i8', 'boolean', 'double', 'dateTime.iso8601', 'base64', 'struct', 'array', 'thing'].map(
    (type) => (text: string) => call(`<${type}>${text}</${type}>`),
  ),
  (text) => call(`<int>1</int><int>${text}</int>`),
  (text) => `<methodCall><methodName>${text}</methodName></methodCall>`,
  (text) => `<methodCall><methodName>supervisor.reloadConfig</methodName>${text}</methodCall>`,
  (text) => callOf('supervisor.startProcess', text),
  (text) => callOf('supervisor.signalProcess', 'web', text),
];

test('text of clients does not reach the log', () =>
  inWorld({ programs: [{ name: 'web' }] }, async (world) => {
    await world.open();
    // An internal error that repeats the text of a client.
    world.api.reread = () => Promise.reject(new Error(`cannot read ${FORGED}`));
    world.api.hasGroup = (name) => {
      throw new Error(`cannot find ${name}`);
    };
    for (const body of BODIES) {
      for (const text of [FORGED, LONG]) {
        const peer = world.connect().send(post(body(text.replace(/[<&]/g, ''))));
        await peer.until(/<\/(?:h1|methodResponse)>/);
        peer.close();
      }
    }
    const said = world.api.reports.map(([, text]) => text);
    assert.ok(said.length >= BODIES.length, `${said.length} messages`);
    assert.ok(
      said.some((text) => text.startsWith('cannot read an XML-RPC request: ')) &&
        said.some((text) => text.includes('cannot find ')),
    );
    for (const text of said) {
      assert.doesNotMatch(text, /[^\P{Cc}\n]|[\u2028\u202e]/u, JSON.stringify(text.slice(0, 300)));
      assert.doesNotMatch(text, /^2026/m);
      assert.ok(text.length < 4000, `${text.length} characters`);
    }
  }));
