/** Reads `[dashboard]`: history of usage, and the other supervisors that the dashboard shows. Pure. */
import { formatPeerUrl } from '../core/peer-address.ts';
import type { Document } from './dialect.ts';
import { defaultOf } from './option.ts';
import { type DashboardOptions, dashboardOptions } from './options.ts';
import type { SectionReader } from './section-reader.ts';
import type { SectionView } from './section-view.ts';

/** Options that have no effect without `peers`. */
const OF_PEERS = [
  'peers_username',
  'peers_password',
  'peers_password_file',
  'peers_insecure',
  'peers_ca_file',
] as const;

/** Returns the options of `[dashboard]`, or their defaults if there is no such section. */
export function readDashboardSection(document: Document, reader: SectionReader): DashboardOptions {
  const section = document.sections.get('dashboard');
  if (section === undefined)
    return Object.fromEntries(
      Object.entries(dashboardOptions).map(([name, option]) => [name, defaultOf<unknown>(option, false)]),
    ) as DashboardOptions;
  reader.warnUnknown(section, [dashboardOptions]);
  const view = reader.open(section, [document.defaults]);
  const options = reader.read(view, dashboardOptions, null);
  checkCredentials(view);
  checkTransport(view, options);
  if (!view.isSet('peers'))
    for (const name of OF_PEERS) if (view.isSet(name)) view.warn(name, 'has no effect without peers; add peers=');
  return options;
}

function hasPassword(view: SectionView): boolean {
  return view.isSet('peers_password') || view.isSet('peers_password_file');
}

/** Checks that there are both a user and a password, or none. */
function checkCredentials(view: SectionView): void {
  if (view.isSet('peers_password') && view.isSet('peers_password_file'))
    view.error('peers_password_file', 'is set, and peers_password too; remove one of them');
  if (hasPassword(view) && !view.isSet('peers_username'))
    view.error(
      'peers_username',
      'is missing, but a password is set; set both or none',
      view.isSet('peers_password') ? 'peers_password' : 'peers_password_file',
    );
  if (!hasPassword(view) && view.isSet('peers_username'))
    view.error(
      'peers_password_file',
      'is missing, but peers_username is set; add it, or peers_password',
      'peers_username',
    );
}

/** Refuses a password that anyone between the containers could read. */
function checkTransport(view: SectionView, { peers, peers_insecure: isInsecure }: DashboardOptions): void {
  const open = peers.find(({ kind }) => kind === 'http');
  if (open === undefined || isInsecure || !hasPassword(view)) return;
  view.error(
    'peers',
    `the password would go over the network unencrypted to ${formatPeerUrl(open)}; ` +
      'use https:// or unix://, or set peers_insecure=true in a network that you trust',
  );
}
