/**
 * Certificate authorities that `https` checks and connections to log servers trust: those of the image if it has any,
 * else those that Node carries. Variables of the application, such as SSL_CERT_FILE, are for its programs.
 */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { FileError, readRegularFile } from './read-file.ts';

/** Files of the distributions with all trusted authorities. */
const BUNDLES: readonly string[] = [
  // Debian, Ubuntu, Arch, Alpine.
  '/etc/ssl/certs/ca-certificates.crt',
  // Red Hat, Fedora, Amazon Linux.
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  // SUSE.
  '/etc/ssl/ca-bundle.pem',
  // Alpine without the package of all files.
  '/etc/ssl/cert.pem',
];

/** Usual bundles have 250 kB. */
const MOST_BYTES = 8 * 1024 * 1024;

/** Returns the certificates of the first bundle that can be used. Null: Node's own are used. */
export function readBundle(bundles: readonly string[] = BUNDLES): Buffer | null {
  for (const path of bundles) {
    try {
      const ca = readCertificates(path);
      createSecureContext({ ca });
      return ca;
    } catch (error) {
      // A bundle that is damaged must not end all checks.
      if (!(error instanceof FileError) && !isTlsError(error)) throw error;
    }
  }
  return null;
}

/** Returns the authorities of the first bundle that can be used. Null: Node's own are used. */
export function readAuthorities(bundles: readonly string[] = BUNDLES): SecureContext | null {
  const ca = readBundle(bundles);
  return ca === null ? null : createSecureContext({ ca });
}

/** Returns the certificates in a file. Throws {@link FileError}, or the error of a certificate that is damaged. */
export function readCertificates(path: string): Buffer {
  const certificates = readRegularFile(path, MOST_BYTES);
  // A context takes a file without any certificate, and then trusts no authority.
  requireCertificate(certificates);
  return certificates;
}

/** Throws if a file does not begin with a certificate. */
function requireCertificate(bytes: Buffer): void {
  if (new X509Certificate(bytes).raw.length === 0) throw new FileError('EINVAL', 'it has no certificate');
}

function isTlsError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^ERR_(?:OSSL|SSL|CRYPTO|TLS)/.test(String(error.code));
}

let authorities: { readonly context: SecureContext | null } | null = null;

/** Returns the authorities of this machine, which are read once, before the first check that needs them. */
export function systemAuthorities(): SecureContext | null {
  authorities ??= { context: readAuthorities() };
  return authorities.context;
}
