/** Parts that may be secrets are hidden, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hideSecrets } from '../../../src/core/hide-secrets.ts';

test('passwords in URLs, arguments and variables are hidden', () => {
  for (const [text, hidden] of [
    ['redis-cli -u redis://app:s3cret@db:6379/0', 'redis-cli -u redis://***@db:6379/0'],
    ['db postgres://app:p@ss@db/x', 'db postgres://***@db/x'],
    ['curl https://ghp_token@github.com/x', 'curl https://***@github.com/x'],
    ['app --password=s3cret --port 80', 'app --password=*** --port 80'],
    ['app --db-password s3cret --port 80', 'app --db-password *** --port 80'],
    ['app --api-key="s3 cret" x', 'app --api-key=*** x'],
    ['app -token s3cret', 'app -token ***'],
    ['env DB_PASSWORD=s3cret PORT=80 app', 'env DB_PASSWORD=*** PORT=80 app'],
    ["sh -c 'AWS_SECRET_ACCESS_KEY=s3cret exec app'", "sh -c 'AWS_SECRET_ACCESS_KEY=*** exec app'"],
    ['{"password": "s3cret", "user": "bob"}', '{"password": ***, "user": "bob"}'],
    ["curl -H 'Authorization: Bearer s3cret' http://x", "curl -H 'Authorization: Bearer ***' http://x"],
    ['app --credentials=s3cret', 'app --credentials=***'],
    ['app --client_secret s3cret', 'app --client_secret ***'],
  ] as const)
    assert.equal(hideSecrets(text), hidden);
});

test('other texts stay as they are', () => {
  for (const text of [
    'nginx -g "daemon off;"',
    'python -m http.server 80',
    'curl http://localhost:80/a@b?user=x',
    'app --password-file /run/secrets/db',
    'app --tokenizer=fast',
    'app --no-password --verbose',
    'mail bob@example.com',
    'echo secret',
  ])
    assert.equal(hideSecrets(text), text);
});

test('a long text takes no long time', () => {
  const parts = ['--password', 'x://', 'password', 'authorization: ', '-', '"', "'", 'a.', '='];
  for (const part of parts) {
    const text = part.repeat(200_000 / part.length);
    const begunMs = performance.now();
    assert.equal(typeof hideSecrets(text), 'string');
    // Quadratic time would be minutes.
    assert.ok(performance.now() - begunMs < 20_000, part);
  }
});
