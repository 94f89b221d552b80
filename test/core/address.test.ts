import { expect, test } from 'vitest'
import { hostOf, isAddressPattern, matchesAddress } from '../../src/core/tree/address.ts'

test.each([
  ['127.0.0.1:50412', '127.0.0.1'],
  ['127.0.0.1', '127.0.0.1'],
  ['[::1]:2181', '::1'],
  ['[::1]', '::1'],
  ['::1', '::1'],
  ['[fe80::1]:5', 'fe80::1'],
  ['[::ffff:10.1.2.3]:50412', '10.1.2.3'],
  ['::FFFF:10.1.2.3', '10.1.2.3'],
  ['', ''],
])('a client at %s is %s', (peer, host) => {
  expect(hostOf(peer)).toBe(host)
})

test.each([
  ['10.0.0.0/8', '10.255.0.1', true],
  ['10.0.0.0/8', '11.0.0.1', false],
  ['10.1.2.3/31', '10.1.2.2', true],
  ['10.1.2.3/32', '10.1.2.2', false],
  ['0.0.0.0/0', '200.1.2.3', true],
  ['0.0.0.0/0', '::1', false],
  ['2001:db8::/32', '2001:db8:ffff::1', true],
  ['2001:db8::/32', '2001:db9::1', false],
  ['2001:db8::/33', '2001:db8:8000::1', false],
  ['::1', '0:0:0:0:0:0:0:1', true],
  ['::/0', 'fe80::1', true],
  ['::/0', '127.0.0.1', false],
  ['fe80::/10', 'febf::1', true],
  ['fe80::/10', 'fec0::1', false],
])('%s covers %s: %s', (pattern, address, covers) => {
  expect(isAddressPattern(pattern)).toBe(true)
  expect(matchesAddress(pattern, address)).toBe(covers)
})

test.each(['', '10.0.0', '10.0.0.256', '10.0.0.0/33', '::/129', ':::1', '1::2::3', '1:2:3', 'g::'])(
  '%j is no address',
  (text) => {
    expect(isAddressPattern(text)).toBe(false)
  },
)
