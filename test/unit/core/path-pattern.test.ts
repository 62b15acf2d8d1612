/** Patterns of paths, walked name by name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeWildcards, PathPatterns, type Positions } from '../../../src/core/path-pattern.ts';

/** Walks to a path, as if all its directories were there. `links`: the names that are symbolic links. */
function matches(patterns: readonly string[], path: string, links: readonly string[] = []): boolean {
  const all = new PathPatterns(patterns);
  let positions: Positions = all.root();
  let isWanted = false;
  for (const name of path.split('/').slice(1)) {
    const names = all.namesIn(positions);
    if (names !== null && !names.includes(name)) return false;
    ({ isWanted, positions } = all.enter(positions, name, links.includes(name)));
  }
  return isWanted;
}

const rows: ReadonlyArray<readonly [pattern: string, yes: readonly string[], no: readonly string[]]> = [
  ['/etc/web.conf', ['/etc/web.conf', '/etc/web.conf/below'], ['/etc/web', '/web.conf', '/etc']],
  ['/app/*.py', ['/app/a.py', '/app/.py.py'.replace('.py.', 'x.')], ['/app/.a.py', '/app/sub/a.py', '/app/a.pyc']],
  [
    '/app/**/*.py',
    ['/app/a.py', '/app/b/a.py', '/app/b/c/a.py'],
    ['/app/.git/a.py', '/app/node_modules/a.py', '/a.py'],
  ],
  ['/app/**', ['/app/a', '/app/b/c'], ['/app/.x', '/app/a~', '/other']],
  ['/app', ['/app', '/app/a', '/app/b/c'], ['/app/.x', '/app/b/.x/c', '/application']],
  ['/a/**/b/**/c', ['/a/b/c', '/a/x/b/y/z/c', '/a/b/b/c'], ['/a/c', '/a/b']],
  ['/a/**/**/c', ['/a/c', '/a/b/c'], ['/a/b']],
  ['/*/conf.d/[a-c]?.ini', ['/etc/conf.d/b1.ini'], ['/etc/conf.d/d1.ini', '/.etc/conf.d/b1.ini']],
  ['/a/.*', ['/a/.env'], ['/a/env']],
  ['//a//./b', ['/a/b'], ['/a']],
];

for (const [pattern, yes, no] of rows) {
  test(pattern, () => {
    for (const path of yes) assert.ok(matches([pattern], path), path);
    for (const path of no) assert.ok(!matches([pattern], path), path);
  });
}

test('a link to a directory is followed where a part of the pattern names it, and not by **', () => {
  assert.ok(matches(['/srv/current/**'], '/srv/current/a', ['current']));
  assert.ok(matches(['/srv/c*/a'], '/srv/current/a', ['current']));
  assert.ok(!matches(['/srv/**/a'], '/srv/current/a', ['current']));
  assert.ok(!matches(['/srv'], '/srv/current/a', ['current']));
});

test('only the names that matter are looked up where no wildcard is', () => {
  const all = new PathPatterns(['/etc/web.conf', '/etc/db.conf', '/app/*']);
  assert.deepEqual(all.namesIn(all.root()), ['etc', 'app']);
  const etc = all.enter(all.root(), 'etc', false).positions;
  assert.deepEqual(all.namesIn(etc), ['web.conf', 'db.conf']);
  assert.equal(all.namesIn(all.enter(all.root(), 'app', false).positions), null);
});

test('the target of a link matters, and is not wanted itself', () => {
  const all = new PathPatterns(['/etc/*'], ['/srv/a[b*.conf']);
  const srv = all.enter(all.root(), 'srv', false);
  assert.deepEqual(all.enter(srv.positions, 'a[b*.conf', false), {
    isMatch: true,
    isWanted: false,
    positions: [{ pattern: 1, part: 2 }],
  });
  assert.equal(all.enter(srv.positions, 'axbx.conf', false).isMatch, false);
  assert.equal(escapeWildcards('/a*?[b]'), '/a[*][?][[]b]');
});

test('a hostile pattern is walked in little time', () => {
  const pattern = `${'/**/a'.repeat(200)}/b`;
  assert.equal(matches([pattern], '/a'.repeat(400)), false);
});
