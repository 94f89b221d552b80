/** Bytes that are no protocol cost their sender the connection, or get the protocol's error; everybody else goes on. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Client, connect } from '../../src/client/index.ts'
import { tcp } from '../../src/client/node-tcp.ts'
import { encode, Reader } from '../../src/core/jute/codec.ts'
import { CreateRequest, WatchedPathRequest } from '../../src/core/jute/records.ts'
import { Random } from '../../src/core/shared/random.ts'
import { opcodes } from '../../src/core/wire/opcodes.ts'
import { type Ensemble, startEnsemble } from '../support/ensemble.ts'
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
    if (reply !== undefined) expect(new Reader(reply).int()).toBe(1)
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
