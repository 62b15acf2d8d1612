/** XML-RPC by Python's own client, as scripts of users do, for tests whose supervisor is in a namespace of its own. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Launched } from './launch.ts';

/** Makes `server`, a client of the supervisor on the socket in `sys.argv[1]`. */
const PRELUDE = `
import http.client, socket, sys, xmlrpc.client
class Unix(xmlrpc.client.Transport):
    def make_connection(self, host):
        c = http.client.HTTPConnection('localhost')
        c.sock = socket.socket(socket.AF_UNIX); c.sock.connect(sys.argv[1])
        c.connect = lambda: None
        return c
server = xmlrpc.client.ServerProxy('http://localhost', transport=Unix())
`;

/** Runs a script that uses `server`, with arguments from `sys.argv[2]` on. Returns its output. */
export async function runPython(launched: Launched, script: string, ...args: string[]): Promise<string> {
  const socket = join(launched.folder, 's.sock');
  const { code, stdout, stderr } = await launched.enter(['python3', '-c', PRELUDE + script, socket, ...args]);
  assert.equal(code, 0, stderr);
  return stdout;
}
