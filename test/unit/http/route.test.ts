/** Finding a route: paths, methods, queries, invalid encodings. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { matchRoute, type Route } from '../../../src/http/route.ts';

const row = (method: Route['method'], path: string): Route => ({
  method,
  path,
  access: 'admin',
  answer: () => undefined,
});
const routes = [
  row('POST', '/RPC2'),
  row('GET', '/logtail'),
  row('GET', '/mainlogtail'),
  row('GET', '/form'),
  row('POST', '/form'),
];

describe('matchRoute', () => {
  const cases: ReadonlyArray<readonly [request: string, answer: string]> = [
    ['POST /RPC2', '/RPC2 ""'],
    ['POST /RPC2/', '/RPC2 ""'],
    ['POST /RPC2/x?y', '/RPC2 "x"'],
    ['POST /RPC22', '404'],
    ['GET /RPC2', '405 POST'],
    ['PUT /form', '405 GET, HEAD, POST'],
    ['HEAD /form', '/form ""'],
    ['HEAD /RPC2', '405 POST'],
    ['POST /rpc2', '404'],
    ['GET /logtail/web/stdout', '/logtail "web/stdout"'],
    ['GET /logtail/g%3Arun?x=1', '/logtail "g:run"'],
    ['GET /logtail/', '/logtail ""'],
    ['GET /mainlogtail#x', '/mainlogtail ""'],
    ['GET http://host:9001/mainlogtail', '/mainlogtail ""'],
    ['GET /', '404'],
    ['GET *', '400'],
    ['GET /%', '400'],
    ['GET /%ff', '400'],
    ['GET /logtail/../RPC2', '/logtail "../RPC2"'],
  ];
  for (const [request, answer] of cases) {
    test(`${request} is ${answer}`, () => {
      const [method = '', target = ''] = request.split(' ');
      const match = matchRoute(routes, method, target);
      assert.equal(
        'route' in match
          ? `${match.route.path} "${match.rest}"`
          : [match.status, match.allow].filter((part) => part !== null).join(' '),
        answer,
      );
    });
  }

  test('a route for all other paths', () => {
    const match = matchRoute([...routes, row('GET', '/')], 'GET', '/style.css');
    assert.equal('route' in match ? match.rest : null, 'style.css');
  });
});
