import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Exchange } from '../../src/bridge/exchange.ts'
import { framesIn, messageOf } from '../../src/bridge/frames-in.ts'
import { MalformedFrame, Reader } from '../../src/core/jute/codec.ts'
import { ReplyHeader } from '../../src/core/jute/records.ts'
import { asZxid } from '../../src/core/shared/units.ts'
import {
  writeConnectRequest,
  writeConnectResponse,
  writeReplyHeader,
  writeRequest,
  writeWatchEvent,
} from '../../src/core/wire/packets.ts'

const body = (frame: Uint8Array): Uint8Array => frame.subarray(4)
const connect = body(
  writeConnectRequest({
    protocolVersion: 0,
    lastZxidSeen: 5,
    timeOut: 9000,
    sessionId: 0n,
    passwd: new Uint8Array(16),
    readOnly: false,
  }),
)
const welcome = writeConnectResponse({
  protocolVersion: 0,
  timeOut: 6000,
  sessionId: 1n,
  passwd: new Uint8Array(16),
  readOnly: false,
})
const ping = body(writeRequest(-2, 'ping', undefined))
const exists = (xid: number): Uint8Array =>
  body(writeRequest(xid, 'exists', { path: '/', watch: false }))
const reply = (xid: number, zxid = 9): Uint8Array => writeReplyHeader(xid, asZxid(zxid), 0)

/** Replies as `xid@zxid`; the ConnectResponse as `welcome`. */
function read(chunks: readonly Uint8Array[]): string[] {
  const bytes = Buffer.concat(chunks)
  return Array.from(framesIn(bytes), ({ from, to }) => {
    if (to - from === welcome.length) return 'welcome'
    const { xid, zxid } = ReplyHeader.read(new Reader(bytes.subarray(from + 4, to)))
    return `${xid}@${zxid}`
  })
}

function opened(): Exchange {
  const exchange = new Exchange(5)
  expect(exchange.request(connect)).toBe('pass')
  expect(read(exchange.reply(welcome))).toEqual(['welcome'])
  return exchange
}

describe('an exchange', () => {
  it('keeps a ping back and answers it when its pong comes', () => {
    const exchange = opened()
    expect(exchange.request(ping)).toBe('ping')
    expect(exchange.outstanding).toBe(1)
    expect(exchange.pingsUnheard).toBe(1)
    expect(read(exchange.pong())).toEqual(['-2@5'])
    expect(exchange.outstanding).toBe(0)
    expect(exchange.pingsUnheard).toBe(0)
  })

  it('answers a ping behind the replies of what was asked before it, with their zxid', () => {
    const exchange = opened()
    exchange.request(exists(1))
    exchange.request(exists(2))
    exchange.request(ping)
    expect(read(exchange.pong())).toEqual([])
    expect(read(exchange.reply(reply(1, 7)))).toEqual(['1@7'])
    expect(read(exchange.reply(reply(2, 8)))).toEqual(['2@8', '-2@8'])
  })

  it('does not hold up later replies for a pong: they are a sign of life themselves', () => {
    const exchange = opened()
    exchange.request(exists(1))
    exchange.request(ping)
    exchange.request(exists(2))
    expect(read(exchange.reply(Buffer.concat([reply(1, 7), reply(2, 8)])))).toEqual([
      '1@7',
      '-2@8',
      '2@8',
    ])
    expect(exchange.pingsUnheard).toBe(1)
    expect(read(exchange.pong())).toEqual([])
    exchange.request(ping)
    expect(read(exchange.pong())).toEqual(['-2@8'])
  })

  it('answers a ping behind the ConnectRequest behind the ConnectResponse', () => {
    const exchange = new Exchange(5)
    exchange.request(connect)
    exchange.request(ping)
    expect(read(exchange.pong())).toEqual([])
    expect(read(exchange.reply(welcome))).toEqual(['welcome', '-2@5'])
  })

  it('waits for no watch event, and takes its zxid', () => {
    const exchange = opened()
    exchange.request(exists(1))
    exchange.request(ping)
    exchange.pong()
    expect(read(exchange.reply(writeWatchEvent(11, 1, '/a')))).toEqual(['-1@11'])
    expect(read(exchange.reply(reply(1, 10)))).toEqual(['1@10', '-2@11'])
  })

  it('takes for a ping only what is one', () => {
    const exchange = opened()
    expect(exchange.request(body(writeRequest(7, 'ping', undefined)))).toBe('pass')
    expect(exchange.request(exists(-2))).toBe('pass')
    expect(exchange.request(new Uint8Array([...ping, 0]))).toBe('pass')
    expect(exchange.request(new Uint8Array([1]))).toBe('pass')
  })

  it('knows the timeout that was granted', () => {
    expect(opened().sessionTimeoutMs).toBe(6000)
  })

  it('refuses a far side that sends anything but whole frames', () => {
    const exchange = opened()
    for (const bad of [
      [0, 0, 0],
      [0, 0, 0, 0],
      [0xff, 0xff, 0xff, 0xff, 1],
      [0, 0, 0, 9, 1, 2],
      [0, 0, 0, 2, 1, 2],
    ]) {
      expect(() => exchange.reply(new Uint8Array(bad))).toThrow(MalformedFrame)
    }
  })

  it('replies in the order in which was asked, whatever comes when', () => {
    const steps = fc.array(fc.constantFrom('ask', 'ping', 'reply', 'pong', 'event'), {
      maxLength: 200,
    })
    fc.assert(
      fc.property(steps, (script) => {
        const exchange = opened()
        const [asked, told]: [number[], number[]] = [[], []]
        const unanswered: number[] = []
        let [xid, pongs, heard] = [0, 0, 0]
        const hear = (chunks: readonly Uint8Array[]): void => {
          for (const line of read(chunks)) if (!line.startsWith('-1@')) told.push(parseInt(line))
        }
        for (const step of [...script, ...Array<string>(200).fill('reply')]) {
          if (step === 'ask') {
            exchange.request(exists(++xid))
            asked.push(xid)
            unanswered.push(xid)
          } else if (step === 'ping') {
            exchange.request(ping)
            asked.push(-2)
            pongs += 1
          } else if (step === 'reply' && unanswered.length > 0) {
            hear(exchange.reply(reply(unanswered.shift() ?? 0)))
          } else if (step === 'pong' && pongs > 0) {
            pongs -= 1
            heard += 1
            hear(exchange.pong())
          } else if (step === 'event') hear(exchange.reply(writeWatchEvent(9, 1, '/e')))
          expect(told).toEqual(asked.slice(0, told.length))
          expect(exchange.outstanding).toBe(asked.length - told.length)
          expect(exchange.pingsUnheard).toBe(asked.filter((one) => one === -2).length - heard)
        }
        for (; pongs > 0; pongs--) hear(exchange.pong())
        expect(told).toEqual(asked)
      }),
    )
  })
})

describe('a message', () => {
  it('is the frames behind their lengths', () => {
    const frames = [new Uint8Array([1]), new Uint8Array([2, 3])]
    expect([...messageOf(frames)]).toEqual([0, 0, 0, 1, 1, 0, 0, 0, 2, 2, 3])
  })
})
