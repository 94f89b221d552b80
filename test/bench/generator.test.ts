import { afterEach, expect, test } from 'vitest'
import { emptyTally, LoadSession, type Work } from '../../bench/generator.ts'
import type { Dial, LinkEvents } from '../../bench/links.ts'
import { Histogram } from '../../bench/statistics.ts'
import { getWork, lockWork } from '../../bench/works.ts'
import { ustring } from '../../src/core/jute/codec.ts'
import { opcodes } from '../../src/core/wire/opcodes.ts'
import {
  frameOf,
  writeConnectResponse,
  writeReplyHeader,
  writeWatchEvent,
} from '../../src/core/wire/packets.ts'
import { Deframer } from '../../src/core/wire/deframer.ts'
import { asZxid } from '../../src/core/shared/units.ts'

interface Asked {
  readonly xid: number
  readonly code: number
  readonly body: Uint8Array
}

/** A server in this process: it answers what `answer` says, in pieces of `pieceBytes`. */
class Server {
  readonly asked: Asked[] = []
  answer: (asked: Asked) => Uint8Array | undefined = ({ xid }) => reply(xid, 200)
  pieceBytes = Infinity
  /** Requests that were taken and not answered. */
  mostWaiting = 0
  events: LinkEvents | undefined
  #isGreeted = false

  readonly dial: Dial = async (events) => {
    this.events = events
    const deframer = new Deframer(1_000_000)
    return {
      write: (bytes) => queueMicrotask(() => this.#take(deframer.push(bytes.slice()))),
      destroy: () => undefined,
    }
  }

  say(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += this.pieceBytes) {
      const piece = Buffer.from(bytes.subarray(at, at + this.pieceBytes))
      this.events?.receive(piece, piece.length)
      piece.fill(0xee) // the session may keep nothing of it
    }
  }

  #take(frames: readonly Uint8Array[]): void {
    this.mostWaiting = Math.max(this.mostWaiting, frames.length)
    const replies = frames.map((frame) => {
      if (!this.#isGreeted) {
        this.#isGreeted = true
        return writeConnectResponse({
          protocolVersion: 0,
          timeOut: 40_000,
          sessionId: 7n,
          passwd: new Uint8Array(16),
          readOnly: false,
        })
      }
      const view = new DataView(frame.buffer, frame.byteOffset)
      const asked = { xid: view.getInt32(0), code: view.getInt32(4), body: frame.subarray(8) }
      this.asked.push(asked)
      return this.answer(asked)
    })
    this.say(Buffer.concat(replies.filter((bytes) => bytes !== undefined)))
  }
}

const reply = (xid: number, bodyBytes: number): Uint8Array =>
  frameOf((into) => {
    into.int(xid)
    into.long(5)
    into.int(0)
    into.raw(new Uint8Array(bodyBytes))
  })

const sessions: LoadSession[] = []
afterEach(() => {
  for (const session of sessions.splice(0)) session.destroy()
})

async function open(server: Server): Promise<LoadSession> {
  const session = await LoadSession.open(server.dial)
  sessions.push(session)
  return session
}

async function played(server: Server, work: Work, window: number, requests: number) {
  const session = await open(server)
  const tally = emptyTally(new Histogram())
  await session.run(work, window, { requests }, tally)
  return tally
}

test.each([Infinity, 1, 3, 7, 20, 21, 64])(
  'replies cut into %i bytes are all counted',
  async (pieceBytes) => {
    const server = new Server()
    server.pieceBytes = pieceBytes
    const tally = await played(server, getWork('/a', 100), 10, 57)
    expect(tally).toMatchObject({ replies: 57, errors: 0 })
    expect(tally.latencies.total).toBe(57)
    expect(server.asked.map(({ xid }) => xid)).toEqual(
      Array.from({ length: 57 }, (_, at) => at + 1),
    )
    expect(new Set(server.asked.map(({ code }) => code))).toEqual(new Set([opcodes.getData.code]))
  },
)

test('no more are under way than the window allows', async () => {
  const server = new Server()
  await played(server, getWork('/a', 100), 8, 100)
  expect(server.mostWaiting).toBe(8)
})

test.each<[string, (asked: Asked) => Uint8Array]>([
  ['another xid', ({ xid }) => reply(xid === 3 ? 4 : xid, 200)],
  ['an error', ({ xid }) => (xid === 3 ? writeReplyHeader(xid, asZxid(5), -101) : reply(xid, 200))],
  ['a body that is too short', ({ xid }) => reply(xid, xid === 3 ? 100 : 200)],
])('%s is an error', async (_, answer) => {
  const server = new Server()
  server.answer = answer
  const tally = await played(server, getWork('/a', 100), 2, 10)
  expect(tally).toMatchObject({ replies: 10, errors: 1 })
  expect(tally.firstError).toContain('xid')
})

test('a link that closes ends the run', async () => {
  const server = new Server()
  server.answer = () => undefined
  const session = await open(server)
  const run = session.run(getWork('/a', 100), 1, {}, emptyTally(new Histogram()))
  server.events?.closed()
  await expect(run).rejects.toThrow('closed the connection')
  await expect(session.run(getWork('/a', 1), 1, {}, emptyTally(new Histogram()))).rejects.toThrow(
    'is closed',
  )
})

test('a ping does not wait for a link that is lost', async () => {
  const server = new Server()
  server.answer = () => undefined
  const session = await open(server)
  const ping = session.ping()
  server.events?.closed()
  await expect(ping).rejects.toThrow('closed the connection')
  await expect(session.ping()).rejects.toThrow('is closed')
})

test('a frame that cannot be one ends the run', async () => {
  const server = new Server()
  server.answer = () =>
    Uint8Array.of(0, 0, 0, 2, 1, 1, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9)
  await expect(played(server, getWork('/a', 100), 1, 1)).rejects.toThrow('a frame of 2 bytes')
})

test('events are no replies', async () => {
  const server = new Server()
  server.answer = ({ xid }) => Buffer.concat([writeWatchEvent(9, 3, '/a'), reply(xid, 200)])
  const session = await open(server)
  let events = 0
  session.onEvent = () => (events += 1)
  const tally = emptyTally(new Histogram())
  await session.run(getWork('/a', 100), 3, { requests: 9 }, tally)
  expect({ events, replies: tally.replies, errors: tally.errors }).toEqual({
    events: 9,
    replies: 9,
    errors: 0,
  })
})

test('a session at rest pings, and leaves as a client does', async () => {
  const server = new Server()
  server.answer = ({ xid }) => reply(xid, 0)
  const session = await open(server)
  expect(session.id).toBe(7n)
  await session.ping()
  await session.close()
  expect(server.asked.map(({ code }) => code)).toEqual([
    opcodes.ping.code,
    opcodes.closeSession.code,
  ])
})

test.each([Infinity, 5])('locks delete what they created (pieces of %i)', async (pieceBytes) => {
  const server = new Server()
  server.pieceBytes = pieceBytes
  const alive = new Set<string>()
  let made = 0
  server.answer = ({ xid, code, body }) => {
    if (code === opcodes.delete.code) {
      const path = Buffer.from(body.subarray(4, body.length - 4)).toString()
      return writeReplyHeader(xid, asZxid(5), alive.delete(path) ? 0 : -101)
    }
    const path = `/bench/locks/${String(made++).padStart(10, '0')}`
    alive.add(path)
    return frameOf((into) => {
      into.raw(writeReplyHeader(xid, asZxid(5), 0).subarray(4))
      ustring.write(into, path)
    })
  }
  const tally = await played(server, lockWork('/bench/locks'), 4, 40)
  expect(tally).toMatchObject({ replies: 40, errors: 0 })
  expect(made).toBe(20)
  expect(alive.size).toBe(0)
})
