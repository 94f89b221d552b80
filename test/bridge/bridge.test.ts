/** A bridge between clients that send what bytes they are told and a far side that does what it is told. */
import { once } from 'node:events'
import { connect as dial, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Bridge } from '../../src/bridge/bridge.ts'
import { FarSide } from '../../src/bridge/far-side.ts'
import { messageOf } from '../../src/bridge/frames-in.ts'
import { Journal } from '../../src/bridge/journal.ts'
import { limits } from '../../src/core/shared/limits.ts'
import { asZxid } from '../../src/core/shared/units.ts'
import {
  writeConnectRequest,
  writeConnectResponse,
  writeReplyHeader,
  writeRequest,
} from '../../src/core/wire/packets.ts'
import { freePorts } from '../support/ports.ts'
import { until } from '../support/until.ts'
import { ScriptedFarSide } from './scripted-far-side.ts'

const connectRequest = (sessionId = 0n): Uint8Array =>
  writeConnectRequest({
    protocolVersion: 0,
    lastZxidSeen: 3,
    timeOut: 3000,
    sessionId,
    passwd: new Uint8Array(16),
    readOnly: false,
  })
const welcome = writeConnectResponse({
  protocolVersion: 0,
  timeOut: 3000,
  sessionId: 1n,
  passwd: new Uint8Array(16),
  readOnly: false,
})
const ping = writeRequest(-2, 'ping', undefined)
const exists = (xid: number): Uint8Array => writeRequest(xid, 'exists', { path: '/', watch: false })
const reply = (xid: number): Uint8Array => writeReplyHeader(xid, asZxid(8), 0)
const pingReply = (zxid: number): Uint8Array => writeReplyHeader(-2, asZxid(zxid), 0)

class Client {
  readonly socket: Socket
  received = Buffer.alloc(0)
  isClosed = false

  constructor(port: number) {
    this.socket = dial({ port, host: '127.0.0.1' })
    this.socket.on('data', (chunk) => (this.received = Buffer.concat([this.received, chunk])))
    this.socket.on('error', () => undefined)
    this.socket.on('close', () => (this.isClosed = true))
  }

  send(...parts: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(parts))
  }

  async closed(): Promise<void> {
    await until('the connection to end', () => this.isClosed, { withinMs: 5000, everyMs: 5 })
  }

  async receives(...parts: readonly Uint8Array[]): Promise<void> {
    const wanted = Buffer.concat(parts)
    await until('the bytes', () => this.received.length >= wanted.length, {
      withinMs: 5000,
      everyMs: 2,
    })
    expect(this.received.toString('hex')).toBe(wanted.toString('hex'))
  }
}

let far: ScriptedFarSide
let bridge: Bridge
let port = 0
let lines: string[] = []
let clients: Client[] = []

const journal = new Journal(true, {
  note: (line) => void lines.push(line),
  complain: (line) => void lines.push(`! ${line}`),
})
const complaints = () => lines.filter((line) => line.startsWith('!'))

async function start(member?: number, secret?: string): Promise<void> {
  ;[port = 0] = await freePorts(1)
  bridge = new Bridge(new FarSide({ to: far.url, secret }), journal)
  await bridge.listen({ host: '127.0.0.1', port, member })
}

function client(...parts: readonly Uint8Array[]): Client {
  const one = new Client(port)
  clients.push(one)
  if (parts.length > 0) one.send(...parts)
  return one
}

/** A client that has its ConnectResponse. */
async function carried(): Promise<Client> {
  const one = client(connectRequest())
  ;(await far.socket()).send(welcome)
  await one.receives(welcome)
  one.received = Buffer.alloc(0)
  return one
}

beforeEach(async () => {
  lines = []
  clients = []
  far = await ScriptedFarSide.start()
})
afterEach(async () => {
  for (const { socket } of clients) socket.destroy()
  await bridge.drain()
  await far.stop()
})

describe('dialling', () => {
  it('waits for the whole ConnectRequest and goes where its session is', async () => {
    await start(2)
    const request = connectRequest(-1n)
    const one = client(request.subarray(0, 20))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(far.requests).toEqual([])
    one.send(request.subarray(20))
    await far.socket()
    expect(far.requests[0]?.url).toBe('/session?session=0xffffffffffffffff&member=2')
    await until('the frame', () => far.frames.length > 0)
    expect(far.messages).toEqual([[Buffer.from(request.subarray(4))]])
  })

  it('asks for no session when the client has none, and for no member when none is named', async () => {
    await start()
    client(connectRequest())
    await far.socket()
    expect(far.requests[0]?.url).toBe('/session')
    expect(far.requests[0]?.headers['x-durable-keeper-client']).toBeUndefined()
  })

  it('vouches for the address of the client', async () => {
    await start(undefined, 'secret')
    const one = client(connectRequest())
    await far.socket()
    const { address, port: own } = one.socket.address() as { address: string; port: number }
    expect(far.requests[0]?.headers['x-durable-keeper-client']).toMatch(
      new RegExp(`^${address}:${own};;\\d{13};[0-9a-f]{64}$`),
    )
  })

  it('keeps what comes behind the ConnectRequest, and passes it on in one message', async () => {
    await start()
    let open = () => {}
    far.delay = new Promise((resolve) => (open = resolve))
    const one = client(connectRequest(), exists(1))
    await new Promise((resolve) => setTimeout(resolve, 50))
    one.send(exists(2), ping, exists(3).subarray(0, 5))
    open()
    await until('the rest', () => far.frames.length >= 3)
    one.send(exists(3).subarray(5))
    await until('all of it', () => far.frames.length >= 4)
    expect(Buffer.concat([messageOf(far.frames)])).toEqual(
      Buffer.concat([connectRequest(), exists(1), exists(2), exists(3)]),
    )
    expect(far.messages[0]).toHaveLength(2)
  })

  it('closes the client and tells once when nobody is there', async () => {
    await start()
    await far.stop()
    const [one, two] = [client(connectRequest()), client(connectRequest())]
    await one.closed()
    await two.closed()
    expect(complaints()).toEqual([
      expect.stringMatching(/^! cannot reach ws:.*\/session: connect ECONNREFUSED/),
    ])
    far = await ScriptedFarSide.start()
  })

  it('closes the client and tells why when it is refused', async () => {
    await start()
    far.refusal = { status: 403, body: '{"error":"another secret"}' }
    const one = client(connectRequest())
    await one.closed()
    expect(complaints()).toEqual([`! cannot reach ${far.url.href}: it answers 403: another secret`])
  })

  it('lets go who begins with something else', async () => {
    await start()
    const one = client(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
    await one.closed()
    const two = client(messageOf([new Uint8Array([1, 2, 3])]))
    await two.closed()
    expect(far.requests).toEqual([])
  })
})

describe('frames', () => {
  it('read in one turn leave in one message, however they were cut', async () => {
    await start()
    const one = await carried()
    const frames = Array.from({ length: 100 }, (_, xid) => exists(xid + 1))
    one.send(...frames)
    await until('the frames', () => far.frames.length === 101)
    expect(far.messages.length).toBeLessThan(6)
    expect(Buffer.from(messageOf(far.frames.slice(1)))).toEqual(Buffer.concat(frames))
  })

  it('that are longer than any server takes end the connection', async () => {
    await start()
    const one = await carried()
    one.send(new Uint8Array([0x7f, 0, 0, 0, 1]))
    await one.closed()
  })

  it('of the far side reach the client before the connection ends', async () => {
    await start()
    const one = await carried()
    const socket = await far.socket()
    one.send(exists(1), exists(2))
    await until('the frames', () => far.frames.length === 3)
    socket.send(Buffer.concat([reply(1), reply(2)]))
    socket.close(1000, 'closed by the ensemble')
    await one.closed()
    await one.receives(reply(1), reply(2))
    expect(complaints()).toEqual([])
  })

  it('that are none, of the far side, end the connection and are told of', async () => {
    await start()
    const one = await carried()
    ;(await far.socket()).send(Buffer.from('surprise'))
    await one.closed()
    expect(complaints()[0]).toMatch('does not speak ZooKeeper')
  })

  it('sent right before the client ends are passed on all the same', async () => {
    await start()
    const one = await carried()
    const socket = await far.socket()
    one.socket.end(Buffer.from(exists(1)))
    await once(socket, 'close')
    expect(far.frames).toHaveLength(2)
    await one.closed()
  })
})

describe('pings', () => {
  it('become text, and are answered in their place', async () => {
    await start()
    const one = await carried()
    const socket = await far.socket()
    one.send(exists(1), ping, exists(2), ping)
    await until('both pings', () => far.pings === 2)
    expect(far.frames).toHaveLength(3)
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(one.received.length).toBe(0)
    socket.send(Buffer.concat([reply(1), reply(2)]))
    await one.receives(reply(1), pingReply(8), reply(2), pingReply(8))
  })

  it('of an idle client are answered with the zxid it has seen', async () => {
    await start()
    const one = await carried()
    one.send(ping)
    await one.receives(pingReply(3))
    expect(far.frames).toHaveLength(1)
  })

  it('are not answered for a dead far side: the connection ends in time', async () => {
    await start()
    const one = await carried()
    far.answersPings = false
    const sent = performance.now()
    one.send(ping)
    await one.closed()
    expect(performance.now() - sent).toBeGreaterThan(900)
    expect(performance.now() - sent).toBeLessThan(3000)
    expect(one.received.length).toBe(0)
    expect(complaints().join('\n')).toMatch('leaves pings unanswered')
  })
})

describe('back-pressure', () => {
  it('reads no client that has too much unanswered, and goes on when it is answered', async () => {
    await start()
    const one = await carried()
    const socket = await far.socket()
    const count = 20_000
    const frames = Array.from({ length: count }, (_, xid) => exists(xid + 1))
    one.send(...frames)
    await until('the limit', () => far.frames.length > limits.bridgeOutstandingMax)
    await new Promise((resolve) => setTimeout(resolve, 100))
    // What had been read when the limit was reached still goes on.
    expect(far.frames.length).toBeLessThan(limits.bridgeOutstandingMax + 5000)
    let replied = 0
    await until('the rest', () => {
      for (const { length } = far.frames; replied < length - 1;) socket.send(reply(++replied))
      return replied === count
    })
    await one.receives(...Array.from({ length: count }, (_, xid) => reply(xid + 1)))
  })

  it('reads the far side no faster than the client reads', async () => {
    await start()
    const one = await carried()
    const socket = await far.socket()
    one.socket.pause()
    const event = new Uint8Array(1024 * 1024)
    const view = new DataView(event.buffer)
    view.setInt32(0, event.length - 4)
    view.setInt32(4, -1)
    for (let sent = 0; sent < 64; sent++) socket.send(event)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(socket.bufferedAmount).toBeGreaterThan(32 * 1024 * 1024)
    let length = 0
    one.socket.removeAllListeners('data').on('data', (chunk: Buffer) => (length += chunk.length))
    one.socket.resume()
    await until('all of it', () => length === 64 * event.length)
  })

  it('reads a client no faster than the far side takes', async () => {
    await start()
    const one = await carried()
    const socket = await far.socket()
    socket.pause()
    const frame = writeRequest(1, 'setData', {
      path: '/',
      data: new Uint8Array(1_000_000),
      version: -1,
    })
    for (let sent = 0; sent < 64; sent++) one.send(frame)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(one.socket.writableLength).toBeGreaterThan(32 * 1024 * 1024)
    socket.resume()
    await until('all of it', () => far.frames.length === 65)
  })

  it('gives a far side up that takes nothing, though no ping gets through', async () => {
    await start()
    const one = await carried()
    ;(await far.socket()).pause()
    const frame = writeRequest(1, 'setData', {
      path: '/',
      data: new Uint8Array(1_000_000),
      version: -1,
    })
    for (let sent = 0; sent < 64; sent++) one.send(frame)
    await one.closed()
    expect(complaints().join('\n')).toMatch('leaves pings unanswered')
  })
})

describe('four-letter words', () => {
  it('are asked of the Worker, and answered to the byte', async () => {
    await start(3)
    far.words = { srvr: 'Zookeeper version: x\nMode: leader\n' }
    const one = client(Buffer.from('srvr\n'))
    await one.closed()
    expect(one.received.toString()).toBe('Zookeeper version: x\nMode: leader\n')
    expect(far.asked).toEqual(['/words/srvr?member=3'])
  })

  it('are recognised byte by byte', async () => {
    await start()
    far.words = { ruok: 'imok' }
    const one = client()
    for (const letter of 'ruok') {
      one.send(Buffer.from(letter))
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await one.closed()
    expect(one.received.toString()).toBe('imok')
    expect(far.asked).toEqual(['/words/ruok'])
  })

  it('get nothing from a Worker that cannot say', async () => {
    await start()
    const one = client(Buffer.from('stat'))
    await one.closed()
    expect(one.received.length).toBe(0)
    expect(complaints()[0]).toMatch(/cannot ask .* for stat: it answers 404: no such word/)
  })
})

describe('the end of a bridge', () => {
  it('waits for replies that are under way', async () => {
    await start()
    const one = await carried()
    const socket = await far.socket()
    const idle = client()
    await until('both', () => bridge.clientCount === 2)
    one.send(exists(1))
    await until('the frame', () => far.frames.length === 2)
    const drained = bridge.drain()
    await idle.closed()
    expect(one.isClosed).toBe(false)
    socket.send(reply(1))
    await one.receives(reply(1))
    await drained
    await one.closed()
  })
})
