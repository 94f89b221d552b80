/** The front between real sockets: clients on one side, an actor by hand on the other. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decode } from '../../src/core/jute/codec.ts'
import { limits } from '../../src/core/shared/limits.ts'
import { downKinds, Newcomer, prefixOf, upKinds } from '../../src/core/wire/trunk.ts'
import { Front } from '../../src/front/front.ts'
import { Runtime } from '../../src/front/runtime.ts'
import { connectRequest, framed, RawClient } from '../e2e/raw-client.ts'
import { freePorts } from '../support/ports.ts'
import { until } from '../support/until.ts'
import { ScriptedActors, type ScriptedStream } from './scripted-actor.ts'

const frameBytesMax = 1_000_000
const { came, frames, left } = upKinds
const full = (1n << 56n) | (7n << 40n) | 5n

let actors: ScriptedActors
let front: Front
let ports: readonly number[]
const clients: RawClient[] = []

beforeEach(async () => {
  actors = await ScriptedActors.listen()
  ports = await freePorts(2)
  front = new Front()
  const runtime = new Runtime({
    host: '127.0.0.1',
    port: actors.port,
    secret: 'of ours',
    frameBytesMax,
  })
  await front.listen(
    '127.0.0.1',
    ports.map((port, at) => ({ member: at + 1, port })),
    runtime,
  )
})
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy()
  front.close()
  actors.close()
})

/** A client that said who it is; `session`: the one it had. */
async function dial(session = 0n, member = 1): Promise<RawClient> {
  const client = await RawClient.dial(ports[member - 1] ?? 0)
  clients.push(client)
  client.send(connectRequest(10_000, session))
  return client
}

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('latin1')
const body = (words: string): Uint8Array => framed(new TextEncoder().encode(words))

/** The client's number, once it is answered. */
async function greet(trunk: ScriptedStream, nth = 0): Promise<number> {
  const { client } = await trunk.message(came, nth)
  trunk.say(downKinds.frames, client, body('welcome'))
  return client
}

describe('[F1] many clients on one stream', () => {
  it('go by the trunk of their member, each under its number, with its address', async () => {
    const [first, second] = [await dial(), await dial()]
    const trunk = await actors.stream()
    expect(trunk.preface).toMatchObject({ secret: 'of ours', member: 1, isTrunk: true })
    const numbers = [await greet(trunk, 0), await greet(trunk, 1)]
    expect(new Set(numbers).size).toBe(2)
    const newcomer = decode(Newcomer, (await trunk.message(came)).body)
    expect(newcomer).toMatchObject({
      isNew: true,
      address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    })
    expect([text(await first.frame()), text(await second.frame())]).toEqual(['welcome', 'welcome'])
    second.send(body('of the second'))
    const said = await trunk.message(frames, 2)
    expect(said.client).toBe(numbers[1])
    expect(text(said.body.subarray(4))).toBe('of the second')
    expect(actors.streams.length).toBe(1)
  })

  it('a client of another member goes by another trunk', async () => {
    await dial(0n, 1)
    await dial(0n, 2)
    await actors.stream(1)
    expect(
      actors.streams.map(({ preface }) => preface?.member ?? 0).toSorted((a, b) => a - b),
    ).toEqual([1, 2])
  })

  it('a frame is passed on when it is whole', async () => {
    const client = await dial()
    const trunk = await actors.stream()
    await greet(trunk)
    const whole = body('cut')
    for (const byte of whole) await client.sent(Uint8Array.of(byte))
    await trunk.message(frames, 1)
    expect(text(trunk.of(frames)[1]?.body)).toBe(text(whole))
  })

  it('a client that goes is told of; one that is hung up reads what was said before', async () => {
    const [goes, stays] = [await dial(), await dial()]
    const trunk = await actors.stream()
    const [gone, hungUp] = [await greet(trunk, 0), await greet(trunk, 1)]
    goes.destroy()
    expect((await trunk.message(left)).client).toBe(gone)
    trunk.say(downKinds.frames, hungUp, body('goodbye'))
    trunk.say(downKinds.hangup, hungUp)
    expect([text(await stays.frame()), text(await stays.frame())]).toEqual(['welcome', 'goodbye'])
    expect(await stays.frame()).toBeUndefined()
  })

  it('a broken trunk ends its clients, and nobody else', async () => {
    const [one, other] = [await dial(0n, 1), await dial(0n, 2)]
    const trunks = [await actors.stream(0), await actors.stream(1)]
    const trunkOf = (member: number): ScriptedStream =>
      trunks.find(({ preface }) => preface?.member === member) as ScriptedStream
    await greet(trunkOf(1))
    const number = await greet(trunkOf(2))
    trunkOf(1).socket.destroy()
    await one.frame()
    expect(await one.frame()).toBeUndefined()
    trunkOf(2).say(downKinds.frames, number, body('on'))
    expect([text(await other.frame()), text(await other.frame())]).toEqual(['welcome', 'on'])
    await dial(0n, 1) // and the next client of that member has a new trunk
    expect((await actors.stream(2)).preface?.member).toBe(1)
  })
})

describe('[F2] a session is where its actor is', () => {
  it('who resumes goes by the trunk to the actor of his session, new ones by any with room', async () => {
    await dial()
    const home = await actors.stream()
    home.home(1, prefixOf(1n << 56n))
    await greet(home)
    await dial(full)
    const away = await actors.stream(1)
    expect(away.preface?.session).toBe(full)
    await greet(away)
    expect(decode(Newcomer, (await away.message(came)).body).isNew).toBe(false)
    await dial(full + 1n)
    await away.message(came, 1)
    await dial((1n << 56n) | 9n)
    await home.message(came, 1)
    expect(actors.streams.length).toBe(2)
  })

  it('another member’s actor is given no new sessions', async () => {
    const elsewhere = (2n << 56n) | 5n
    await dial(elsewhere)
    const away = await actors.stream()
    away.home(2, prefixOf(elsewhere))
    await greet(away)
    await dial()
    expect((await actors.stream(1)).preface?.session).toBe(0n)
  })

  it('a full actor turns a client away, who says everything again to the next', async () => {
    const client = await dial()
    client.send(body('early'))
    const trunk = await actors.stream()
    const all = text(connectRequest(10_000)) + text(body('early'))
    await until('both frames', () => trunk.saidFrames === all, { everyMs: 2 })
    trunk.say(downKinds.full, (await trunk.message(came)).client)
    const next = await actors.stream(1)
    await until('both again', () => next.saidFrames === all, { everyMs: 2 })
    await greet(next)
    expect(text(await client.frame())).toBe('welcome')
    expect(trunk.of(left).length).toBe(0)
  })
})

describe('[F3] nobody waits for another client', () => {
  it('a client that is told to wait is read no further until it is told', async () => {
    const [waits, goesOn] = [await dial(), await dial()]
    const trunk = await actors.stream()
    const [waiting, going] = [await greet(trunk, 0), await greet(trunk, 1)]
    await goesOn.frame()
    trunk.say(downKinds.pause, waiting)
    trunk.say(downKinds.frames, going, body('behind it'))
    await goesOn.frame()
    waits.send(body('later'))
    goesOn.send(body('now'))
    await until('the other one', () => trunk.of(frames).length === 3, { everyMs: 2 })
    expect(text(trunk.of(frames)[2]?.body.subarray(4))).toBe('now')
    trunk.say(downKinds.resume, waiting)
    await trunk.message(frames, 3)
    expect(text(trunk.of(frames)[3]?.body.subarray(4))).toBe('later')
  })

  it('one that does not read its replies is read no further; another has its replies', async () => {
    const [slow, quick] = [await dial(), await dial()]
    const trunk = await actors.stream()
    const [slowOne, quickOne] = [await greet(trunk, 0), await greet(trunk, 1)]
    await slow.frame()
    slow.stopReading()
    const much = body('x'.repeat(limits.trunkBytesBeyondFrame - 4))
    for (let sent = 0; sent < 200; sent++) trunk.say(downKinds.frames, slowOne, much)
    trunk.say(downKinds.frames, quickOne, body('here'))
    expect([text(await quick.frame()), text(await quick.frame())]).toEqual(['welcome', 'here'])
    slow.send(body('more'))
    quick.send(body('and on'))
    await until('the quick one', () => trunk.of(frames).length === 3, { everyMs: 2 })
    expect(trunk.of(frames)[2]?.client).toBe(quickOne)
    slow.readOn()
    await trunk.message(frames, 3)
    expect(trunk.of(frames)[3]?.client).toBe(slowOne)
  })

  it('what a client has not read is as it was said, whatever comes for others behind it', async () => {
    const [slow, quick] = [await dial(), await dial()]
    const trunk = await actors.stream()
    const [slowOne, quickOne] = [await greet(trunk, 0), await greet(trunk, 1)]
    await slow.frame()
    await quick.frame()
    slow.stopReading()
    const letters = Array.from({ length: 200 }, (_, at) => String.fromCharCode(0x61 + (at % 26)))
    for (const letter of letters) {
      const length = limits.trunkBytesBeyondFrame - 4
      trunk.say(downKinds.frames, slowOne, body(letter.repeat(length)))
      trunk.say(downKinds.frames, quickOne, body('-'.repeat(length)))
    }
    for (const _ of letters) await quick.frame()
    slow.readOn()
    for (const letter of letters) {
      const read = text(await slow.frame())
      expect(read.length).toBe(limits.trunkBytesBeyondFrame - 4)
      expect(new Set(read)).toEqual(new Set([letter]))
    }
  })

  it('a frame longer than may be ends its sender alone', async () => {
    const [bad, good] = [await dial(), await dial()]
    const trunk = await actors.stream()
    const [badOne] = [await greet(trunk, 0), await greet(trunk, 1)]
    await bad.frame()
    const head = new Uint8Array(4)
    new DataView(head.buffer).setInt32(0, frameBytesMax + 1)
    bad.send(head)
    expect(await bad.frame()).toBeUndefined()
    expect((await trunk.message(left)).client).toBe(badOne)
    good.send(body('fine'))
    await trunk.message(frames, 2)
  })
})

describe('[F4] what is no session', () => {
  it('a four-letter word has a stream of its own, with the client’s address', async () => {
    const client = await RawClient.dial(ports[1] ?? 0)
    clients.push(client)
    client.send(new TextEncoder().encode('ruok'))
    const stream = await actors.stream()
    expect(stream.preface).toMatchObject({ member: 2, isTrunk: false, secret: 'of ours' })
    await until('the word', () => stream.text === 'ruok', { everyMs: 2 })
    stream.socket.end(body('imok'))
    expect(text(await client.frame())).toBe('imok')
    expect(await client.frame()).toBeUndefined()
  })

  it('who closes his side behind a word is answered all the same', async () => {
    const client = await RawClient.dial(ports[1] ?? 0)
    clients.push(client)
    client.end(new TextEncoder().encode('ruok'))
    const stream = await actors.stream()
    await until('the word', () => stream.text === 'ruok', { everyMs: 2 })
    stream.socket.end(body('imok'))
    expect(text(await client.frame())).toBe('imok')
  })

  it('who closes his side in a session has left it', async () => {
    const client = await dial()
    const trunk = await actors.stream()
    const number = await greet(trunk)
    await client.frame()
    client.end(body('last'))
    expect((await trunk.message(left)).client).toBe(number)
    expect(trunk.saidFrames.endsWith(text(body('last')))).toBe(true)
    expect(await client.frame()).toBeUndefined()
  })

  it('bytes that nobody may begin with end the connection', async () => {
    const client = await RawClient.dial(ports[0] ?? 0)
    client.send(Uint8Array.of(0x7f, 0xff, 0xff, 0xff))
    expect(await client.frame()).toBeUndefined()
    expect(actors.streams.length).toBe(0)
  })
})
