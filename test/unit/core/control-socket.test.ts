/** The addresses of the private control socket, and the check of the process at its other end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { controlSocketPaths, isAbstract, isTrustedPeer } from '../../../src/core/control-socket.ts';

const ids = { pid: '4026531836', mount: '4026531840' };

test('the preferred address comes first, the abstract ones last', () => {
  assert.deepEqual(controlSocketPaths({}, ids), [
    '/run/onevisor.sock',
    '/run/onevisor-4026531836.sock',
    '/run/onevisor-4026531836-4026531840.sock',
    '/tmp/onevisor-4026531836.sock',
    '/tmp/onevisor-4026531836-4026531840.sock',
    '/dev/shm/onevisor-4026531836.sock',
    '/dev/shm/onevisor-4026531836-4026531840.sock',
    '@onevisor-4026531836',
    '@onevisor-4026531836-4026531840',
  ]);
  assert.deepEqual(controlSocketPaths({ XDG_RUNTIME_DIR: '/run/user/7/' }, ids).slice(3, 5), [
    '/run/user/7/onevisor-4026531836.sock',
    '/run/user/7/onevisor-4026531836-4026531840.sock',
  ]);
  for (const odd of ['', 'relative'])
    assert.deepEqual(controlSocketPaths({ XDG_RUNTIME_DIR: odd }, ids), controlSocketPaths({}, ids));
  assert.equal(controlSocketPaths({}, ids).filter(isAbstract).length, 2);
  assert.deepEqual(controlSocketPaths({}), [
    '/run/onevisor.sock',
    '/tmp/onevisor.sock',
    '/dev/shm/onevisor.sock',
    '@onevisor',
  ]);
});

test('root and the same user are trusted, but only in the same PID namespace', () => {
  assert.ok(isTrustedPeer({ pid: 7, uid: 0 }, 1000) && isTrustedPeer({ pid: 7, uid: 1000 }, 1000));
  assert.ok(!isTrustedPeer({ pid: 7, uid: 1001 }, 1000) && !isTrustedPeer({ pid: 0, uid: 0 }, 0));
});
