/** Requests that are refused: by role, method, path, header, parameter and body. Each error is JSON with a code. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasRole, type Role, ROLES } from '../../../src/core/role.ts';
import { type Answer, CHANGE, check, inApi } from './api-world.ts';

const WEB = { programs: [{ name: 'web' }] };

/** Asserts an error with a status, a code, and a text in its message. */
function refused(answer: Answer, status: number, code: string, message: string | RegExp = ''): void {
  check('Error', answer.json);
  const { error } = answer.json as { error: { code: string; message: string } };
  assert.deepEqual([answer.status, error.code], [status, code], answer.text);
  assert.ok(typeof message === 'string' ? error.message.includes(message) : message.test(error.message), error.message);
}

/** Replaces the parameters of a path template. */
function fill(path: string): string {
  return path.replaceAll(/\{\w+\}/g, 'web');
}

test('each row is refused to each role below its own', async () => {
  await inApi(WEB, async (api) => {
    for (const { method, path, role } of api.rows) {
      for (const given of ROLES) {
        if (hasRole(given, role)) continue;
        const answer = await api.send(method, fill(path), { role: given, headers: CHANGE });
        refused(answer, 403, 'forbidden', `this needs the role ${role}; yours is ${given}`);
      }
    }
    assert.equal(api.api.requests.length, 0);
  });
});

test('a reader gets each row that changes nothing', async () => {
  await inApi(WEB, async (api) => {
    const streams = api.rows.filter(({ path }) => path === '/stream');
    assert.equal(streams.length, 1);
    for (const row of api.rows) {
      if (row.method !== 'GET' || streams.includes(row)) continue;
      const query = row.path.includes('/peers/') || row.path.endsWith('/files') ? '?name=web' : '';
      const { status, text } = await api.get(fill(row.path) + query, { role: 'read' });
      // There is no change and no peer with this id.
      const isFound = !/\/(?:changes|peers)\//.test(row.path);
      assert.equal(status, isFound ? 200 : 404, `${row.path}: ${text}`);
    }
    assert.equal(api.api.requests.length, 0);
  });
});

test('rows that change something need the role admin, and no row is open', async () => {
  await inApi(WEB, async ({ rows }) => {
    const wanted = (method: string): Role => (method === 'POST' ? 'admin' : 'read');
    const metrics = new Set(['/version', '/health']);
    for (const { method, path, role } of rows)
      assert.equal(role, metrics.has(path) ? 'metrics' : wanted(method), `${method} ${path}`);
  });
});

test('each POST needs a JSON content type and the header that browsers do not send', async () => {
  await inApi(WEB, async (api) => {
    for (const { method, path } of api.rows) {
      if (method !== 'POST') continue;
      const plain = await api.send('POST', fill(path), { raw: '{}', headers: { 'X-Onevisor': '1' } });
      refused(plain, 415, 'unsupported_media_type', 'Content-Type');
      const form = { 'X-Onevisor': '1', 'Content-Type': 'application/x-www-form-urlencoded' };
      refused(await api.send('POST', fill(path), { headers: form }), 415, 'unsupported_media_type');
      const json = { 'Content-Type': 'application/json; charset=utf-8' };
      refused(await api.send('POST', fill(path), { raw: '{}', headers: json }), 403, 'missing_header', 'X-Onevisor');
    }
    assert.equal(api.api.requests.length, 0);
  });
});

test('a POST from the page of another site is refused, with all headers', async () => {
  await inApi(WEB, async (api) => {
    const site = await api.post('/processes/web/start', undefined, { headers: { 'Sec-Fetch-Site': 'cross-site' } });
    refused(site, 403, 'cross_site');
    // A browser asks before it sends a header of ours for a page of another origin, and gets no permission.
    const headers = { Origin: 'http://evil', 'X-Onevisor': '' };
    refused(await api.post('/start', { names: ['*'] }, { headers }), 403, 'cross_site');
    assert.equal(api.api.requests.length, 0);
  });
});

test('unknown paths and wrong methods are told, with the way out', async () => {
  await inApi(WEB, async (api) => {
    refused(await api.get('/proceses'), 404, 'not_found', 'did you mean /processes?');
    refused(await api.get('/processes/web/start/now'), 404, 'not_found', '/api/v1/processes/web/start/now');
    refused(await api.get(''), 404, 'not_found');
    refused(await api.get('/processes/%ff'), 400, 'bad_request');
    const wrong = await api.send('GET', '/processes/web/start');
    refused(wrong, 405, 'method_not_allowed', 'POST');
    assert.equal(wrong.headers['allow'], 'POST');
    const posted = await api.post('/version');
    assert.deepEqual([posted.status, posted.headers['allow']], [405, 'GET, HEAD']);
    for (const method of ['OPTIONS', 'PUT', 'DELETE', 'PATCH']) {
      const answer = await api.send(method, '/version');
      refused(answer, 405, 'method_not_allowed');
      assert.match(String(answer.headers['allow']), /GET/);
    }
  });
});

test('HEAD answers as GET, without the body', async () => {
  await inApi(WEB, async (api) => {
    const [head, get] = [await api.send('HEAD', '/processes/web'), await api.get('/processes/web')];
    assert.deepEqual([head.status, head.text, head.headers['content-type']], [200, '', 'application/json']);
    assert.equal(head.headers['content-length'], String(Buffer.byteLength(get.text)));
    assert.equal(head.headers['cache-control'], 'no-store');
  });
});

test('unknown, repeated and wrong parameters are named, with the nearest known one', async () => {
  await inApi(WEB, async (api) => {
    refused(await api.get('/processes?nams=web'), 400, 'unknown_member', 'nams (did you mean names?)');
    refused(await api.get('/version?x=1'), 400, 'unknown_member', 'there is no parameter x; it has none here');
    refused(await api.get('/logs?qqqqqqqqqqqqqqq=1'), 400, 'unknown_member', 'parameters: names, streams');
    refused(await api.get('/processes?usage=maybe'), 400, 'bad_value', 'usage must be true or false');
    refused(await api.get('/events?after=1&after=2'), 400, 'bad_value', 'after is given more than once');
    refused(await api.get('/events?after=-1'), 400, 'bad_value', 'after must be an integer of at least 0');
    refused(await api.get('/events?timeout=31'), 400, 'bad_value', 'an integer from 0 to 30');
    refused(await api.get('/logs?streams=stdot'), 400, 'bad_value', 'did you mean stdout?');
    refused(await api.get('/logs?level=eror'), 400, 'bad_value', 'did you mean error?');
    refused(await api.get('/logs?since=yesterday'), 400, 'bad_value', 'since must be a time');
    refused(await api.get('/logs?regex=true&grep=(a'), 400, 'bad_value', 'grep is not a valid pattern');
    refused(await api.get(`/logs?grep=${'x'.repeat(1001)}`), 400, 'bad_value', 'at most 1000');
    assert.equal((await api.get('/processes?usage=1')).status, 200);
  });
});

test('wrong bodies are named by their place', async () => {
  await inApi(WEB, async (api) => {
    const raw = (text: string, path = '/restart'): Promise<Answer> =>
      api.send('POST', path, { raw: text, headers: CHANGE });
    refused(await raw('{"names": ["web"],}'), 400, 'bad_json', 'line 1, column 19');
    refused(await raw('{\n  "names": [web]\n}'), 400, 'bad_json', 'line 2, column 13');
    refused(await raw('{"names": ["web"]'), 400, 'bad_json', 'column 18');
    refused(await raw(''), 400, 'bad_value', 'names is missing');
    refused(await raw('[]'), 400, 'bad_value', 'the body must be an object');
    refused(await raw('{"names": "web"}'), 400, 'bad_value', 'names must be an array');
    refused(await raw('{"names": []}'), 400, 'bad_value', 'an array of at least 1');
    refused(await raw('{"names": ["web", 3]}'), 400, 'bad_value', 'names[1] must be a string');
    refused(await raw('{"names": ["web"], "roling": true}'), 400, 'unknown_member', 'did you mean rolling?');
    refused(await raw('{"names": ["web"], "__proto__": 1}'), 400, 'unknown_member', '__proto__');
    refused(await raw('{"force": true}', '/processes/web/stop'), 400, 'unknown_member', 'no body, not force');
    refused(await raw('{"count": 0}', '/programs/web/scale'), 400, 'bad_value', 'from 1 to 99999');
    refused(await raw('{"signal": "NOPE"}', '/processes/web/signal'), 400, 'bad_signal', 'NOPE');
    assert.equal(api.api.requests.length, 0);
  });
});

test('a body above its limit is refused with 413', async () => {
  await inApi(WEB, async (api) => {
    const names = { names: ['web'.repeat(30_000)] };
    refused(await api.post('/start', names), 413, 'too_large');
    const text = { text: 'é'.repeat(60_000) };
    assert.equal((await api.post('/processes/web/stdin', text)).status, 202);
    refused(await api.post('/processes/web/stdin', { text: 'x'.repeat(600_000) }), 413, 'too_large');
  });
});

test('unknown names are a 404 with the nearest name', async () => {
  await inApi({ programs: [{ name: 'web' }, { name: 'a', group: 'pool' }] }, async (api) => {
    refused(await api.get('/processes/wob'), 404, 'bad_name', 'there is no process "wob" (did you mean web?)');
    refused(await api.get('/processes/pool:*'), 404, 'bad_name');
    refused(await api.get('/processes?names=web&names=nobody'), 404, 'bad_name', 'nobody');
    refused(await api.post('/processes/pool:b*/start'), 404, 'bad_name', 'pool:b*');
    refused(await api.post('/stop', { names: ['web', 'x:*'] }), 404, 'bad_name', 'x:*');
    refused(await api.post('/groups/pol/restart'), 404, 'bad_name', 'did you mean pool?');
    refused(await api.post('/groups/none/add'), 404, 'bad_name', 'group "none"');
    refused(await api.post('/programs/wbe/scale', { count: 2 }), 404, 'bad_name', 'did you mean web?');
    refused(await api.post('/config/update', { groups: ['wob'] }), 404, 'bad_name', 'did you mean web?');
    refused(await api.get('/changes/fake-1-99'), 404, 'bad_change');
    refused(await api.get('/changes/fake-1-99/wait'), 404, 'bad_change');
    refused(await api.get(`/processes/${'y'.repeat(5000)}`), 404, 'bad_name', /^.{0,300}$/s);
    assert.equal(api.api.requests.length, 0);
  });
});

test('an ending supervisor still answers reads, and refuses changes with 503', async () => {
  await inApi({ programs: [{ name: 'web', options: { autostart: true }, ignores: [15] }] }, async (api) => {
    assert.equal((await api.change('/supervisor/shutdown')).results[0]?.text, 'Shut down');
    const version = await api.get('/version');
    assert.equal((version.json as { state: string }).state, 'SHUTDOWN');
    assert.equal((await api.get('/processes')).status, 200);
    refused(await api.post('/processes/web/start'), 503, 'shutdown_state', 'shutting down');
    refused(await api.post('/config/update'), 503, 'shutdown_state');
    const again = await api.change('/supervisor/shutdown');
    assert.deepEqual(again.results, [{ name: 'supervisor', ok: true, text: 'Killing the remaining processes' }]);
  });
});

test('an error of ours is a 500 without details, and is logged', async () => {
  const broken = async (): Promise<never[]> => {
    throw new Error('the table is broken');
  };
  await inApi({ ...WEB, moreRows: [broken] }, async (api) => {
    const answer = await api.get('/version');
    refused(answer, 500, 'internal_server_error', /^Internal Server Error$/);
    assert.match(JSON.stringify(api.api.reports), /the table is broken/);
  });
});
