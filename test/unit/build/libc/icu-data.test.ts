/** The data of ICU is cut to what is used, and stays readable: sorted names, aligned items. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutIcuData, isIcuItemKept } from '../../../../build/libc/icu-data.ts';
import { HEADER_BYTES, makeIcuData } from './icu-fixture.ts';

/** Reads the names and contents back, each content up to the given length. */
function readData(data: Uint8Array): Array<readonly [name: string, content: string]> {
  const body = Buffer.from(data).subarray(HEADER_BYTES);
  return Array.from({ length: body.readUInt32LE(0) }, (_, index) => {
    const name = body.readUInt32LE(4 + index * 8);
    const item = body.readUInt32LE(8 + index * 8);
    assert.equal(item % 16, 0, 'items are aligned');
    const content = body.toString('latin1', item).replace(/\0[^]*/, '');
    return [body.toString('latin1', name, body.indexOf(0, name)), content] as const;
  });
}

test('items for other languages go, and the rest is found', () => {
  const data = makeIcuData({
    'brkitr/thaidict.dict': 'thai\0',
    'cnvalias.icu': 'aliases\0',
    'de.res': 'german\0',
    'en.res': 'english\0',
    'zone/zh_Hant.res': 'chinese\0',
    'zoneinfo64.res': 'zones of the world\0',
  });
  const cut = cutIcuData(data);
  assert.deepEqual(readData(cut), [
    ['icudt78l/cnvalias.icu', 'aliases'],
    ['icudt78l/en.res', 'english'],
    ['icudt78l/zoneinfo64.res', 'zones of the world'],
  ]);
  assert.throws(() => cutIcuData(Buffer.alloc(64)), /cannot cut the data of ICU/);
});

test('what stays and what goes', () => {
  const kept = ['root.res', 'en.res', 'en_US_POSIX.res', 'curr/en_001.res', 'coll/ucadata.icu', 'brkitr/word.brk'];
  for (const name of [...kept, 'pool.res', 'timezoneTypes.res', 'nfkc.nrm', 'a-new-kind.xyz', 'units.res'])
    assert.ok(isIcuItemKept(name), name);
  for (const name of [
    'fr_CA.res',
    'unit/agq.res',
    'en_GB.res',
    'ibm-964_P110-1999.cnv',
    'translit/root.res',
    'rfc3491.spp',
  ])
    assert.ok(!isIcuItemKept(name), name);
});
