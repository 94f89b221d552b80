import { describe, expect, it } from 'vitest'
import { readListenAddress, showListenAddress } from '../../src/bridge/listen-address.ts'

describe('where a bridge listens', () => {
  it.each([
    ['2181', '127.0.0.1', 2181, undefined],
    ['127.0.0.1:2182=2', '127.0.0.1', 2182, 2],
    ['0.0.0.0:1', '0.0.0.0', 1, undefined],
    ['localhost:2181', 'localhost', 2181, undefined],
    ['[::1]:2181=3', '::1', 2181, 3],
    ['2183=3', '127.0.0.1', 2183, 3],
  ])('%s', (text, host, port, member) => {
    expect(readListenAddress(text)).toEqual({ host, port, member })
  })

  it.each([
    ['', 'is not [host:]port'],
    ['host', 'is not [host:]port'],
    ['1.2.3.4:', 'is not [host:]port'],
    ['::1:2181', 'is not [host:]port'],
    [':2181', 'names no host'],
    ['[]:2181', 'names no host'],
    ['[localhost]:2181', 'names no host'],
    ['2181=', 'is not [host:]port'],
    ['2181=two', 'is not [host:]port'],
    ['0', 'no port 0'],
    ['65536', 'no port 65536'],
    ['2181=0', 'no member 0'],
    ['2181=255', 'no member 255'],
  ])('not %j', (text, why) => {
    expect(() => readListenAddress(text)).toThrow(why)
  })

  it('is shown as one types it', () => {
    expect(showListenAddress(readListenAddress('[::1]:2181'))).toBe('[::1]:2181')
    expect(showListenAddress(readListenAddress('2181'))).toBe('127.0.0.1:2181')
  })
})
