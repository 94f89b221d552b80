import { describe, expect, it } from 'vitest'
import { MalformedFrame } from '../../src/core/jute/codec.ts'
import { limits } from '../../src/core/shared/limits.ts'
import { openingOf } from '../../src/core/wire/opening.ts'
import { writeConnectRequest } from '../../src/core/wire/packets.ts'

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('the opening of a TCP connection', () => {
  const connect = writeConnectRequest({
    protocolVersion: 0,
    lastZxidSeen: 7,
    timeOut: 30_000,
    sessionId: 0x0100_0001_2345_6789n,
    passwd: new Uint8Array(16),
    readOnly: undefined,
  })

  it('is a four-letter word, whatever follows it', () => {
    expect(openingOf(ascii('ruok'))).toEqual({ type: 'word', word: 'ruok' })
    expect(openingOf(ascii('srvr\r\n'))).toEqual({ type: 'word', word: 'srvr' })
  })

  it('cannot be told before it is whole', () => {
    for (let length = 0; length < connect.length; length++) {
      expect(openingOf(connect.subarray(0, length))).toBe('more')
    }
    expect(openingOf(connect)).toMatchObject({
      type: 'connect',
      request: { sessionId: 0x0100_0001_2345_6789n, lastZxidSeen: 7 },
    })
  })

  it('may have requests right behind it', () => {
    const bytes = new Uint8Array([...connect, 0, 0, 0, 8, 1, 2, 3])
    expect(openingOf(bytes)).toMatchObject({ type: 'connect', request: { timeOut: 30_000 } })
  })

  it('is nothing else', () => {
    expect(openingOf(ascii('GET / HTTP/1.1'))).toBeUndefined()
    expect(openingOf(new Uint8Array([0, 0, 0, 0]))).toBeUndefined()
    const long = new Uint8Array(4)
    new DataView(long.buffer).setInt32(0, limits.connectRequestBytesMax + 1)
    expect(openingOf(long)).toBeUndefined()
    expect(() => openingOf(new Uint8Array([0, 0, 0, 2, 1, 1]))).toThrow(MalformedFrame)
  })
})
