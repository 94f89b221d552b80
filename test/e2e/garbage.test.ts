/** Bytes that are no protocol cost their sender the connection, or get the protocol's error; everybody else goes on. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Client, connect } from '../../src/client/index.ts'
import { tcp } from '../../src/client/node-tcp.ts'
import { encode, Reader } from '../../src/core/jute/codec.ts'
import { CreateRequest, WatchedPathRequest } from '../../src/core/jute/records.ts'
import { Random } from '../../src/core/shared/random.ts'
import { wholeFrames } from '../../src/core/wire/deframer.ts'
import { opcodes, xids } from '../../src/core/wire/opcodes.ts'
import { type Ensemble, startEnsemble } from '../support/ensemble.ts'
import { until } from '../support/until.ts'
import { joined, mutate } from '../fuzz/mutation.ts'
import { someRequest } from '../fuzz/requests.ts'
import { connectRequest, framed, RawClient, request } from './raw-client.ts'

let ensemble: Ensemble
let bystander: Client
let port: number
beforeAll(async () => {
  ensemble = await startEnsemble({ env: { TICK_TIME: '1000' } })
  port = ensemble.zkPorts[0] ?? 0
  bystander = connect(`tcp://127.0.0.1:${port}`, { transport: tcp })
  await bystander.create('/bystander', { mode: 'ephemeral' })
})
afterAll(async () => {
  await bystander?.close()
  await ensemble?.stop()
})

const lengths = {
  'length -5': -5,
  'length 0': 0,
  'length 2^31-1': 0x7fffffff,
  'a 2 MB frame': 2_000_000,
}

for (const [name, length] of Object.entries(lengths)) {
  const head = new Uint8Array(4)
  new DataView(head.buffer).setInt32(0, length)

  it(`${name} instead of a ConnectRequest closes the connection`, async () => {
    const client = await RawClient.dial(port)
    client.send(head)
    expect(await client.frame()).toBeUndefined()
    await everybodyElseGoesOn()
  })

  it(`${name} in a session closes the connection and leaves the session`, async () => {
    const client = await RawClient.open(port)
    client.send(head)
    if (length === 2_000_000) client.send(new Uint8Array(length))
    expect(await client.frame()).toBeUndefined()
    await everybodyElseGoesOn()
  })

  it(`${name} on a WebSocket closes it`, async () => {
    const socket = await openSocket()
    const closed = new Promise((resolve) => socket.addEventListener('close', resolve))
    socket.send(length > 0 && length < 3_000_000 ? framed(new Uint8Array(length)) : head)
    await closed
    await everybodyElseGoesOn()
  })
}

it('random bytes, 200 connections of them, hurt nobody', async () => {
  const random = new Random(7)
  const clients = Array.from({ length: 200 }, async () => {
    const client = await RawClient.dial(port)
    const bytes = Uint8Array.from({ length: random.between(1, 300) }, () => random.next() & 0xff)
    client.send(bytes)
    client.destroy()
  })
  await Promise.all(clients)
  await everybodyElseGoesOn()
})

it('random bodies of every operation are answered in order, or close the connection', async () => {
  const random = new Random(8)
  for (const { code } of Object.values(opcodes)) {
    const client = await RawClient.open(port)
    const body = Uint8Array.from({ length: random.between(0, 60) }, () => random.next() & 0xff)
    client.send(request(1, code, body))
    const reply = await client.frame()
    // A ping is answered under its own xid, whatever it was asked under.
    if (reply !== undefined) expect(xidOf(reply)).toBe(code === opcodes.ping.code ? xids.ping : 1)
    client.destroy()
  }
  await everybodyElseGoesOn()
})

it('a frame cut at every byte, then silence, then the rest: answered once whole', async () => {
  const whole = request(
    1,
    opcodes.getData.code,
    encode(WatchedPathRequest, { path: '/', watch: false }),
  )
  for (let cut = 1; cut < whole.length; cut++) {
    const client = await RawClient.open(port)
    client.send(whole.subarray(0, cut))
    await everybodyElseGoesOn()
    client.send(whole.subarray(cut))
    const reply = await client.frame()
    expect(new Reader(reply ?? new Uint8Array(0)).int()).toBe(1)
    client.destroy()
  }
})

it('a frame cut at every byte and its sender gone hurts nobody', async () => {
  const body = encode(CreateRequest, { path: '/never', data: null, acl: [], flags: 0 })
  const whole = request(1, opcodes.create.code, body)
  for (let cut = 1; cut < whole.length; cut++) {
    const client = await RawClient.open(port)
    client.send(whole.subarray(0, cut))
    client.destroy()
  }
  await everybodyElseGoesOn()
  expect(await bystander.exists('/never')).toBeUndefined()
})

it('half a frame on a WebSocket closes it', async () => {
  const socket = await openSocket()
  const closed = new Promise((resolve) => socket.addEventListener('close', resolve))
  socket.send(framed(new Uint8Array(20)).subarray(0, 10))
  await closed
  await everybodyElseGoesOn()
})

const batches = 360
const framesPerBatch = 6
const lastXid = 0x7000_0000

/** Requests damaged inside, then one that is whole; every tenth time the stream itself is damaged and nothing follows. */
function someBatch(random: Random): { readonly bytes: Uint8Array; readonly isAnswered: boolean } {
  const isAnswered = random.between(0, 9) > 0
  const frames = Array.from({ length: framesPerBatch }, (_, at) =>
    framed(mutate(someRequest(at + 1, random), someRequest(at + 1, random), random)),
  ).filter((frame) => frame.length > 4)
  if (!isAnswered)
    return { bytes: mutate(joined(...frames), frames[0] ?? joined(), random), isAnswered }
  frames.push(request(lastXid, opcodes.getData.code, rootRead))
  return { bytes: joined(...frames), isAnswered }
}

const rootRead = encode(WatchedPathRequest, { path: '/', watch: false })
const xidOf = (frame: Uint8Array): number => new Reader(frame).int()

/** The bystander works all the while; answers how much it got done. */
async function besideABystander(lanes: readonly Promise<unknown>[]): Promise<number> {
  let isOver = false
  const all = Promise.all(lanes).finally(() => (isOver = true))
  let rounds = 0
  for (; !isOver; rounds++) await everybodyElseGoesOn()
  await all
  return rounds
}

async function untilAnswered(client: RawClient): Promise<boolean> {
  for (;;) {
    const frame = await client.frame()
    if (frame === undefined) return false
    if (xidOf(frame) === lastXid) return true
  }
}

it('thousands of damaged frames over TCP cost their senders their connections at most', async () => {
  const random = new Random(11)
  let [answered, closed] = [0, 0]
  const lane = async (): Promise<void> => {
    for (let at = 0; at < batches / 3; at++) {
      const { bytes, isAnswered } = someBatch(random)
      const client = await RawClient.open(port)
      client.send(bytes)
      if (isAnswered && (await untilAnswered(client))) answered += 1
      else closed += 1
      client.destroy()
    }
  }
  expect(await besideABystander([lane(), lane(), lane()])).toBeGreaterThan(3)
  expect(answered).toBeGreaterThan(10)
  expect(closed).toBeGreaterThan(10)
  await nobodyBroke()
})

it('thousands of damaged frames in WebSocket messages close those WebSockets at most', async () => {
  const random = new Random(12)
  let [answered, closed] = [0, 0]
  const lane = async (): Promise<void> => {
    for (let at = 0; at < batches / 3; at++) {
      const { bytes, isAnswered } = someBatch(random)
      const socket = await openSocket()
      const isOver = new Promise<boolean>((resolve) => {
        socket.addEventListener('close', () => resolve(false))
        socket.addEventListener('message', ({ data }) => {
          const frames = wholeFrames(new Uint8Array(data as ArrayBuffer), 2 ** 25)
          if (frames.some((frame) => xidOf(frame) === lastXid)) resolve(true)
        })
      })
      socket.send(bytes)
      // A damaged stream may by chance still be one of whole frames.
      if (!isAnswered) socket.close()
      if (await isOver) answered += 1
      else closed += 1
      socket.close()
    }
  }
  expect(await besideABystander([lane(), lane(), lane()])).toBeGreaterThan(3)
  expect(answered).toBeGreaterThan(10)
  expect(closed).toBeGreaterThan(10)
  await nobodyBroke()
})

/** No member ended its life, no actor lost a member, and the trees agree. */
async function nobodyBroke(): Promise<void> {
  for (const event of ['member.broken', 'edge.lost']) expect(ensemble.logs).not.toContain(event)
  await until('equal digests', async () => {
    await bystander.sync()
    const members = (await ensemble.members()) as unknown as { zxid: string; digest: string }[]
    return new Set(members.map(({ zxid, digest }) => `${zxid} ${digest}`)).size === 1
  })
}

async function everybodyElseGoesOn(): Promise<void> {
  expect(await bystander.exists('/bystander')).toBeDefined()
  await bystander.set('/bystander', 'still here')
}

async function openSocket(): Promise<WebSocket> {
  const socket = new WebSocket(ensemble.webSocketUrl)
  socket.binaryType = 'arraybuffer'
  await new Promise((resolve) => socket.addEventListener('open', resolve))
  const greeted = new Promise((resolve) => socket.addEventListener('message', resolve))
  socket.send(connectRequest(10_000))
  await greeted
  return socket
}
