/** Answers that clients do not read: they share a limit, are streamed, and do not block other clients. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AnswerBudget, AnswerBudgetError } from '../../src/rpc/answer-budget.ts';
import { decodeResponse } from '../../src/rpc/xmlrpc.ts';
import { callRequest, inWorld, type Peer, type ServerWorld } from '../unit/http/server-world.ts';

const MiB = 1024 * 1024;
const PROGRAMS = [{ name: 'web', options: { startsecs: 0 } }];
const tailOf = (bytes: number): string => callRequest('supervisor.tailProcessStdoutLog', ['web', 0, bytes]);

/** Sends a request and reads nothing. */
function ignore(world: ServerWorld, request: string): Peer {
  const peer = world.connect();
  peer.socket.pause();
  return peer.send(request);
}

async function bodyOf(peer: Peer): Promise<string> {
  const text = await peer.until((received) => {
    const length = /^Content-Length: (\d+)\r$/m.exec(received)?.[1];
    return length !== undefined && received.length >= received.indexOf('\r\n\r\n') + 4 + Number(length);
  });
  return Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1').toString();
}

describe('answers', () => {
  test('a log of megabytes arrives complete, with any content, wherever it is divided', () =>
    inWorld({ programs: PROGRAMS }, async (world) => {
      await world.open();
      const pattern = Buffer.concat([
        Buffer.from('é<&>\r\n\u{1f600}"'),
        Buffer.of(0xff, 0xc3, 0x1b),
        Buffer.from(']]>x'),
      ]);
      const bytes = Buffer.alloc(MiB + 7, pattern);
      world.api.logOf('web:web', 'stdout').push(Buffer.from(bytes));
      const expected = new TextDecoder().decode(bytes).replaceAll('\x1b', '\ufffd');
      const peer = world.connect().send(tailOf(2 * MiB));
      const answer = decodeResponse(await bodyOf(peer));
      assert.ok(answer.kind === 'value' && Array.isArray(answer.value));
      // Do not compare with assert: the difference would be printed, and it is a megabyte.
      assert.ok(answer.value[0] === expected, 'the text');
      assert.deepEqual(answer.value.slice(1), [bytes.length, false]);
      await peer.send(callRequest('supervisor.getPID')).until(/<int>4711/);
      const several = world.connect().send(
        callRequest('system.multicall', [
          [
            { methodName: 'supervisor.readProcessStdoutLog', params: ['web', 0, 100_000] },
            { methodName: 'supervisor.getPID', params: [] },
          ],
        ]),
      );
      assert.match(await bodyOf(several), /é&lt;&amp;&gt;&#13;\n[^]*<int>4711</);
      for (const open of [peer, several]) open.close();
    }));

  test('unread answers share a limit: 503 above it, while short ones are sent', () =>
    inWorld({ programs: PROGRAMS, limits: { answerBytes: 3 * MiB, freeAnswerBytes: 1000 } }, async (world) => {
      await world.open();
      world.api.logOf('web:web', 'stdout').push(Buffer.alloc(MiB, 'x'));
      const deaf = Array.from({ length: 3 }, () => ignore(world, tailOf(MiB)));
      const refused = world.connect();
      // The three are handled in the order of their requests.
      assert.match(await refused.send(tailOf(MiB)).until(/<\/h1>/), /^HTTP\/1.1 503 [^]*Retry-After: 1\r\n/);
      assert.match(
        await refused
          .send(
            callRequest('system.multicall', [
              [{ methodName: 'supervisor.readProcessStdoutLog', params: ['web', 0, 0] }],
            ]),
          )
          .until((text) => text.split('</h1>').length === 3),
        / 503 [^]* 503 /,
      );
      await refused.send(callRequest('supervisor.getState')).until(/RUNNING/);
      await world.connect().send('GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n').until(/ok\n$/);
      assert.deepEqual(
        world.api.reports.filter(([level]) => level === 'warn').map(([, text]) => text),
        ['cannot answer /RPC2: too many bytes of answers wait for clients that do not read them'],
        'said once',
      );
      for (const peer of deaf) peer.close();
      let answer = '';
      // The server notices the ends of the three in later turns of the loop.
      while (!answer.includes('<methodResponse>')) {
        const peer = world.connect().send(tailOf(MiB));
        answer = await peer.until(/<\/h1>|<\/methodResponse>/);
        peer.close();
      }
      refused.close();
    }));

  test('answers of clients that disconnect release their memory', () =>
    inWorld({ programs: PROGRAMS, limits: { answerBytes: 2 * MiB, freeAnswerBytes: 1000 } }, async (world) => {
      await world.open();
      world.api.logOf('web:web', 'stdout').push(Buffer.alloc(MiB, 'x'));
      for (let round = 0; round < 20; round += 1) {
        const peer = ignore(world, tailOf(MiB));
        await new Promise((resolve) => peer.socket.write('', resolve));
        peer.close();
        await peer.end();
      }
      const last = world.connect();
      let answer = '';
      for (let round = 0; round < 100 && !answer.includes('</methodResponse>'); round += 1)
        answer = await last
          .send(tailOf(MiB))
          .until((text) => text.length > answer.length && /<\/h1>\n$|<\/methodResponse>\n$/.test(text));
      assert.match(answer, /<\/methodResponse>/);
      last.close();
    }));
});

describe('the room for answers', () => {
  test('counts up to its limit, and gives back what an answer took', () => {
    const room = new AnswerBudget(100, 10);
    const [first, second, third] = [room.begin(), room.begin(), room.begin()];
    first.reserve(60);
    second.reserve(40);
    third.reserve(10);
    const refusal = (act: () => void): boolean | null => {
      try {
        act();
        return null;
      } catch (error) {
        assert.ok(error instanceof AnswerBudgetError);
        return error.isFirst;
      }
    };
    assert.equal(
      refusal(() => third.reserve(1)),
      true,
    );
    assert.equal(
      refusal(() => third.reserve(1)),
      false,
      'one episode',
    );
    third.release();
    assert.equal(
      refusal(() => first.reserve(1)),
      false,
    );
    first.release();
    first.release();
    assert.equal(
      refusal(() => third.reserve(60)),
      null,
    );
    assert.equal(
      refusal(() => third.reserve(1)),
      true,
      'another one',
    );
  });
});
