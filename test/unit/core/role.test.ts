/** Roles: each includes those before it, and the reason of a refusal can be read back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMissingRole, formatMissingRole, hasRole, ROLES } from '../../../src/core/role.ts';

test('each role includes those before it', () => {
  for (const [has, role] of ROLES.entries())
    for (const [needs, needed] of ROLES.entries()) assert.equal(hasRole(role, needed), has >= needs);
  for (const needed of ROLES) assert.equal(hasRole(null, needed), false);
});

test('the reason of a refusal names both roles', () => {
  const text = formatMissingRole('admin', 'read');
  assert.equal(text, 'this needs the role admin, and yours is read');
  assert.deepEqual(findMissingRole(`403 Forbidden: ${text}>`), { needed: 'admin', role: 'read' });
  assert.equal(findMissingRole('403 Forbidden'), null);
});
