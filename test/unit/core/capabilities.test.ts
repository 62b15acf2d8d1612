/** Capabilities of programs: the sets that follow from a rule and from those of the supervisor. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  capabilityNames,
  type CapabilityRule,
  formatCapabilityRule,
  parseCapabilitySet,
  planCapabilities,
} from '../../../src/core/capabilities.ts';

const [CHOWN, SETPCAP, NET_BIND, NET_RAW] = [0, 8, 10, 13];
const ROOT = { permitted: [CHOWN, SETPCAP, NET_BIND, NET_RAW], bounding: [CHOWN, SETPCAP, NET_BIND, NET_RAW] };
const USER = { permitted: [NET_BIND], bounding: [CHOWN, NET_BIND] };
const BARE = { dropsAll: true, added: [NET_BIND], removed: [] };
const asRoot = { isRoot: true, noNewPrivileges: false };
const asUser = { isRoot: false, noNewPrivileges: false };

test('drop-all leaves only what is added, to root and to another user', () => {
  const sets = { dropped: [CHOWN, SETPCAP, NET_RAW], kept: [NET_BIND], ambient: [NET_BIND] };
  assert.deepEqual(planCapabilities(BARE, ROOT, asRoot), { ok: true, sets });
  assert.deepEqual(planCapabilities(BARE, ROOT, asUser), { ok: true, sets });
});

test('without drop-all, the others stay', () => {
  const rule: CapabilityRule = { dropsAll: false, added: [NET_BIND], removed: [NET_RAW] };
  assert.deepEqual(planCapabilities(rule, ROOT, asRoot), {
    ok: true,
    sets: { dropped: [NET_RAW], kept: [CHOWN, SETPCAP, NET_BIND], ambient: [NET_BIND] },
  });
  assert.deepEqual(planCapabilities(rule, ROOT, asUser), {
    ok: true,
    sets: { dropped: [NET_RAW], kept: [NET_BIND], ambient: [NET_BIND] },
  });
});

test('a supervisor that is not root', () => {
  assert.deepEqual(planCapabilities(BARE, USER, asUser), {
    ok: false,
    reason: 'the supervisor does not have CAP_SETPCAP; set no_new_privs=true, or run it as root',
  });
  assert.deepEqual(planCapabilities(BARE, USER, { isRoot: false, noNewPrivileges: true }), {
    ok: true,
    sets: { dropped: [], kept: [NET_BIND], ambient: [NET_BIND] },
  });
  assert.deepEqual(planCapabilities({ ...BARE, added: [CHOWN, 60] }, USER, asUser), {
    ok: false,
    reason: 'the supervisor itself does not have CAP_CHOWN, CAP_60; give it to the container',
  });
});

test('as text', () => {
  assert.equal(formatCapabilityRule({ dropsAll: true, added: [NET_BIND], removed: [] }), 'drop-all,+net_bind_service');
  assert.equal(formatCapabilityRule({ dropsAll: false, added: [], removed: [CHOWN, NET_RAW] }), '-chown,-net_raw');
  assert.deepEqual(parseCapabilitySet('0000000000002501'), [CHOWN, SETPCAP, NET_BIND, NET_RAW]);
  assert.deepEqual(parseCapabilitySet('8000000000000000'), [63]);
  assert.equal(capabilityNames[40], 'checkpoint_restore');
});
