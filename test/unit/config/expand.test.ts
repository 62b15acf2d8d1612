import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExpansionError, expand, expandTwice, hasNamelessConversion, joinPieces } from '../../../src/config/expand.ts';

const names = new Map<string, string | number>([
  ['t', "it's"],
  ['n', 7],
  ['m', -42],
  ['here', '/etc'],
  ['ENV_A', 'va'],
  ['ENV_EMPTY', ''],
  ['ENV_P', '100%(x)'],
]);

const accepted: ReadonlyArray<readonly [string, string]> = [
  ['', ''],
  ['plain', 'plain'],
  ['%%', '%'],
  ['a%%b%%', 'a%b%'],
  ['%(t)s', "it's"],
  ['%(n)d', '7'],
  ['%(n)02d', '07'],
  ['%(n)5d|', '    7|'],
  ['%(n)-5d|', '7    |'],
  ['%(n)+d', '+7'],
  ['%(n) d', ' 7'],
  ['%(m)d', '-42'],
  ['%(m)05d', '-0042'],
  ['%(n).3d', '007'],
  ['%(n)i %(n)u', '7 7'],
  ['%(n)ld', '7'],
  ['%(m)x', '-2a'],
  ['%(m)#X', '-0X2A'],
  ['%(m)#08o', '-0o00052'],
  ['%(n)s', '7'],
  ['%(n)r', '7'],
  ['%(n)c', '\x07'],
  ['%(t)r', `"it's"`],
  ['%(t)a', `"it's"`],
  ['%(t).2s|', 'it|'],
  ['%(t).s|', '|'],
  ['%(t)6s|', "  it's|"],
  ['%(t)06s|', "  it's|"],
  ['%(n)f', '7.000000'],
  ['%(n).1f', '7.0'],
  ['%(n)e', '7.000000e+00'],
  ['%(n)E', '7.000000E+00'],
  ['%(n)g', '7'],
  ['%(n)#g', '7.00000'],
  ['%(n)G', '7'],
  ['%(here)s/%(ENV_A)s', '/etc/va'],
  ['${HOME} $HOME', '${HOME} $HOME'],
  ['%(ENV_A:-x)s', 'va'],
  ['%(ENV_Z:-x)s', 'x'],
  ['%(ENV_EMPTY:-x)s', 'x'],
  ['%(ENV_Z:-)s', ''],
  ['%(ENV_Z:-%(ENV_A)s/(b))s', 'va/(b)'],
  ['%(ENV_A:?needed)s', 'va'],
  ['%(ENV_P)s', '100%(x)'],
  ['%s', `{'t': "it's", 'n': 7, 'm': -42, 'here': '/etc', 'ENV_A': 'va', 'ENV_EMPTY': '', 'ENV_P': '100%(x)'}`],
];
for (const [format, expected] of accepted)
  test(`expand: ${JSON.stringify(format)}`, () => assert.equal(expand(format, names), expected));

test('expand: a whole number with many digits in the general form', () => {
  assert.equal(expand('%(b)g %(b).2g', new Map([['b', 1_000_000]])), '1e+06 1e+06');
  assert.equal(expand('%(b)g', new Map([['b', 1_234_567]])), '1.23457e+06');
});

const rejected: ReadonlyArray<readonly [string, RegExp]> = [
  ['100%', /ends within a "%"/],
  ['%', /ends within/],
  ['%5', /ends within/],
  ['%USER%', /"%U" at character 1 is not an expansion; a percent sign is written %%/],
  ['a %)', /not an expansion/],
  ['%d', /not an expansion/],
  ['% d', /not an expansion/],
  ['%5%', /not an expansion/],
  ['%h%', /not an expansion/],
  ['%s %s', /no name in parentheses/],
  ['%(t)s %s', /no name in parentheses/],
  ['%(t', /without its closing parenthesis/],
  ['%(t)', /incomplete/],
  ['%(SHELL)', /%\(SHELL\) is not a name that can be expanded here; there are here, m, n, t and ENV_x/],
  ['%(ENV_Z)s', /the environment variable Z is not set; set it, or give a default: %\(ENV_Z:-value\)s/],
  ['%(t)d', /needs a number/],
  ['%(t)c', /single character/],
  ['%(t)%', /is not an expansion/],
  ['%(t)z', /is not an expansion/],
  ['%(n)99999999d', /99999999 is too wide; a width is at most 4096/],
  ['%(t)-99999999s', /too wide/],
  ['%(n).99999999d', /too wide/],
  ['%99999999s', /too wide/],
  ['%(n).101f', /101 places are too many/],
  ['%(m)c', /-42 is no character/],
  ['%(n)*d', /a width of "\*" is not supported/],
  ['%(n).*d', /a width of "\*" is not supported/],
  ['%(program_nam:-x)s', /%\(program_nam:-x\) is not a name that can be expanded here/],
  ['%(ENV_Z:?it must be there)s', /%\(ENV_Z\)s is not set: it must be there/],
  ['%(ENV_EMPTY:?)s', /is not set: it is required/],
];
for (const [format, reason] of rejected) {
  test(`expand: ${JSON.stringify(format)} is refused`, () =>
    assert.throws(
      () => expand(format, names),
      (error) => error instanceof ExpansionError && reason.test(error.message),
    ));
}

test('compat: expanded twice, a percent sign is four; the values of names are left alone', () => {
  assert.equal(joinPieces(expandTwice('%%%% %%(n)d %(ENV_P)s', names)), '% 7 100%(x)');
  assert.throws(() => expandTwice('100%%', names), ExpansionError);
});

test('compat: a conversion without a name is recognized', () => {
  assert.ok(hasNamelessConversion('date +%s'));
  assert.ok(!hasNamelessConversion('date +%%s %(x)s'));
});

test('expand: the length of the result is limited', () => {
  const big = new Map([['ENV_BIG', 'x'.repeat(100_000)]]);
  assert.throws(() => expand('%(ENV_BIG)s'.repeat(11), big), /longer than 1048576 characters/);
  assert.throws(
    () => expand(`${'%(ENV_Z:-'.repeat(20)}x${')s'.repeat(20)}`, big),
    /more than 16 defaults within each other/,
  );
  assert.equal(expand(`${'%(ENV_Z:-'.repeat(16)}x${')s'.repeat(16)}`, big), 'x');
});
