/** Types of the options of `[dashboard]`. Errors never repeat an address: it may have a password in it. Pure. */
import {
  formatPeerAddress,
  formatPeerUrl,
  parsePeerAddress,
  type PeerAddress,
  PeerAddressError,
} from '../core/peer-address.ts';
import { dataType, reject, WrongValue } from './datatype.ts';
import { duration, wordList } from './datatypes.ts';

/** Longest history: 8,640 samples of each program in memory. */
const LONGEST_HISTORY_S = 86_400;

/** Period of time for which samples are kept. */
export const historyPeriod = dataType('seconds', (value, context) => {
  const seconds = duration.parse(value, context);
  return seconds <= LONGEST_HISTORY_S ? seconds : reject(value, 'a duration of at most 1d, for example 1h');
});

/** Most addresses of the list. */
const MOST_PEERS = 100;

/** Addresses of supervisors with commas or spaces between them. */
export const peerList = dataType<readonly PeerAddress[]>(
  '[NAME=]URL, …',
  (value, context) => {
    const words = wordList.parse(value, context);
    if (words.length > MOST_PEERS)
      throw new WrongValue(`has ${words.length} addresses, and ${MOST_PEERS} are allowed; use dns+http://name:port`);
    const peers = words.map(parse);
    for (const [index, peer] of peers.entries()) {
      const url = formatPeerUrl(peer);
      if (peers.slice(0, index).some((other) => formatPeerUrl(other) === url))
        throw new WrongValue(`${url} is in the list twice; remove one of them`);
    }
    return peers;
  },
  (peers) => peers.map(formatPeerAddress),
);

function parse(word: string, index: number): PeerAddress {
  try {
    return parsePeerAddress(word);
  } catch (error) {
    if (!(error instanceof PeerAddressError)) throw error;
    throw new WrongValue(`entry ${index + 1}: ${error.message}`);
  }
}
