/** Connects to a log server by TLS: its certificate and name are checked, and ours is shown if the server wants one. */
import { isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import { connect, createSecureContext } from 'node:tls';
import type { SecureContext, TLSSocket } from 'node:tls';
import { messageOf } from '../core/error-text.ts';
import type { LogServer, ServerTrust } from '../core/log-server.ts';
import { readBundle, readCertificates, systemAuthorities } from '../files/authorities.ts';
import { readRegularFile } from '../files/read-file.ts';

/** Limit for a certificate and its key. */
const MAX_KEY_BYTES = 1024 * 1024;

/** Codes of a certificate that no trusted authority has signed. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/**
 * Starts a connection. Reads the files of the options each time, since certificates are renewed. Throws an error for a
 * file that cannot be read or used.
 */
export function connectTls({ host, port, trust = {} }: LogServer, lookup: LookupFunction): TLSSocket {
  const context = makeContext(trust);
  return connect({
    host,
    port,
    lookup,
    // An address is no server name (RFC 6066). The certificate must have it all the same.
    servername: trust.name ?? (isIP(host) === 0 ? host : ''),
    rejectUnauthorized: trust.verify ?? true,
    ...(context === null ? {} : { secureContext: context }),
  });
}

/** Returns the certificates to use. Null: those that Node carries. */
function makeContext({ ca, cert, key }: ServerTrust): SecureContext | null {
  if (ca === undefined && cert === undefined) return systemAuthorities();
  const authorities = ca === undefined ? readBundle() : use('ca', ca, readCertificates);
  const own = cert === undefined ? null : use('cert', cert, readCertificates);
  const secret = key === undefined ? null : use('key', key, (path) => readRegularFile(path, MAX_KEY_BYTES));
  return use(cert === undefined ? 'ca' : 'cert', cert ?? ca ?? '', () =>
    createSecureContext({
      ...(authorities === null ? {} : { ca: authorities }),
      ...(own === null ? {} : { cert: own }),
      ...(secret === null ? {} : { key: secret }),
    }),
  );
}

/** Runs work with the file of an option, and names the option in an error. */
function use<T>(option: string, path: string, work: (path: string) => T): T {
  try {
    return work(path);
  } catch (error) {
    throw new Error(`cannot use ${option}=${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** Adds the way out to an error about a certificate. */
export function explainTls(error: NodeJS.ErrnoException): NodeJS.ErrnoException {
  const code = error.code ?? '';
  if (UNTRUSTED.has(code)) return explained(error, 'name a file with its authority by ca=FILE');
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return explained(error, 'write the name in its certificate by name=NAME');
  return error;
}

function explained({ message }: Error, wayOut: string): Error {
  return new Error(`its certificate is not accepted: ${message}; ${wayOut}`);
}
