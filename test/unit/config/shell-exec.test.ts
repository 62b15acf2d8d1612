import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { withExec } from '../../../src/config/shell-exec.ts';

test('a simple command gets an exec, behind its assignments', () => {
  for (const [command, expected] of [
    ['php-fpm -F', 'exec php-fpm -F'],
    ['bundle exec puma -p $PORT', 'exec bundle exec puma -p $PORT'],
    ['./bin/web --greeting "a; b" \'c && d\'', 'exec ./bin/web --greeting "a; b" \'c && d\''],
    ['sh -c "sed s/a/b/ x; exec nginx"', 'exec sh -c "sed s/a/b/ x; exec nginx"'],
    ['web -p ${PORT:-5000} -h ${HOST}', 'exec web -p ${PORT:-5000} -h ${HOST}'],
    ['web >>log 2>&1', 'exec web >>log 2>&1'],
    ['RAILS_ENV=production puma', 'RAILS_ENV=production exec puma'],
    ['A=1 B="x y" C=$PORT web --b', 'A=1 B="x y" C=$PORT exec web --b'],
    ['web a\\;b', 'exec web a\\;b'],
  ] as const)
    assert.equal(withExec(command), expected);
});

test('anything else stays as it is', () => {
  for (const command of [
    'migrate && web',
    'web; true',
    'web | logger',
    'web &',
    '(cd app; web)',
    '{ web; }',
    'cd app',
    'exec web',
    'eval "$COMMAND"',
    'A=1 exec web',
    'if true',
    'while :; do web; done',
    '$COMMAND --x',
    '"my web" --x',
    'A=$(date) web',
    'web --at `date`',
    'web --at $(date)',
    'web --at ${X:-$(date)}',
    'web "unfinished',
    'A=1',
    'A=1 B=2 ',
    ': nothing',
    '. ./profile',
    '>log web',
  ])
    assert.equal(withExec(command), command);
});

test('the shell takes the assignments before exec, and becomes the command', () => {
  const command = withExec('A=1 B="x y" sh -c \'echo "$$ $A $B"\' 2>&1');
  const text = execFileSync('/bin/sh', ['-c', `echo $$; ${command}`], { encoding: 'utf8' });
  const [, pid = ''] = /^(\d+)\n/.exec(text) ?? [];
  assert.equal(text, `${pid}\n${pid} 1 x y\n`);
});
