/** The value of oom_score_adj that the supervisor sets for itself, and the one that programs get in its place. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { PROTECTED_SCORE, protectFromOom, type ScoreFile } from '../../src/process/oom-score.ts';
import { addon, run, shell } from './programs.ts';

/** The file of a process that may or may not lower its value. */
function fake(inherited: string, isPrivileged = true): ScoreFile & { readonly written: string[] } {
  const written: string[] = [];
  return {
    written,
    read: () => inherited,
    write: (text) => {
      if (!isPrivileged) throw Object.assign(new Error('x'), { code: 'EACCES' });
      written.push(text);
    },
  };
}

describe('our own oom_score_adj', () => {
  test('PID 1 protects itself, and programs get the inherited value', () => {
    const file = fake('300\n');
    assert.deepEqual(protectFromOom(null, true, file), { messages: [], forPrograms: 300 });
    assert.deepEqual(file.written, [`${PROTECTED_SCORE}`]);
  });

  test('another process changes nothing without the option', () => {
    const file = fake('0\n');
    assert.deepEqual(protectFromOom(null, false, file), { messages: [], forPrograms: null });
    assert.deepEqual(file.written, []);
  });

  test('a lower value that was inherited stays', () => {
    const file = fake('-1000\n');
    assert.deepEqual(protectFromOom(null, true, file), { messages: [], forPrograms: null });
    assert.deepEqual(file.written, []);
  });

  test('the option sets any value, also a higher one', () => {
    const file = fake('-500\n');
    assert.deepEqual(protectFromOom(100, false, file), { messages: [], forPrograms: -500 });
    assert.deepEqual(file.written, ['100']);
    assert.deepEqual(protectFromOom(-500, true, fake('-500\n')), { messages: [], forPrograms: null });
  });

  test('without the privilege, only the option is worth a warning', () => {
    const [debug] = protectFromOom(null, true, fake('0\n', false)).messages;
    assert.equal(debug?.[0], 'debug');
    const { messages, forPrograms } = protectFromOom(-5, true, fake('0\n', false));
    assert.equal(forPrograms, null);
    assert.equal(messages[0]?.[0], 'warn');
    assert.match(messages[0]?.[1] ?? '', /^cannot set the oom_score_adj of the supervisor to -5: .*CAP_SYS_RESOURCE/);
  });
});

test('a program gets its value also with a limit of descriptors below our own descriptors', async () => {
  const limits = [{ resource: 'nofile', soft: 4, hard: 4 }];
  const command = { file: '/bin/cat', argv: ['cat', '/proc/self/oom_score_adj'] };
  const { stdout } = await run(shell('', { ...command, limits, oomScoreAdj: 321 }));
  assert.equal(stdout, '321\n');
  assert.notEqual(readFileSync('/proc/self/oom_score_adj', 'latin1'), '321\n');
  assert.ok(addon.getLimit('nofile').soft > 4);
});
