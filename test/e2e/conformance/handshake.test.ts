/** How a session begins, is resumed, is kept and ends. */
import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { decode, encode, Reader } from '../../../src/core/jute/codec.ts'
import {
  ConnectResponse,
  GetDataResponse,
  ReplyHeader,
  WatchedPathRequest,
} from '../../../src/core/jute/records.ts'
import { createFlags, opcodes, xids } from '../../../src/core/wire/opcodes.ts'
import { errorCodes } from '../../../src/core/wire/refusals.ts'
import { until } from '../../support/until.ts'
import { type RawClient, request } from '../raw-client.ts'
import { greeting, Session } from './session.ts'
import { onBothSides, tickMs } from './sides.ts'

const shortest = 2 * tickMs
const longest = 20 * tickMs
const { ephemeral } = createFlags

onBothSides({}, (side) => {
  const responseTo = async (hello: Uint8Array): Promise<Uint8Array> => {
    const client = await side.dial()
    client.send(hello)
    const frame = await client.frame()
    if (frame === undefined) throw new Error('no ConnectResponse')
    const { sessionId, passwd } = decode(ConnectResponse, frame)
    client.destroy()
    await (
      await side.open({ sessionId, passwd: passwd ?? new Uint8Array(16) })
    ).get('sync', { path: '/' })
    return frame
  }

  it('W01 a ConnectRequest of 45 bytes is answered with 37', async () => {
    const frame = await responseTo(greeting({ timeoutMs: 5000, readOnly: false }))
    expect(frame).toHaveLength(37)
    const { protocolVersion, timeOut, sessionId, passwd, readOnly } = decode(ConnectResponse, frame)
    expect({ protocolVersion, timeOut, readOnly }).toEqual({
      protocolVersion: 0,
      timeOut: 5000,
      readOnly: false,
    })
    expect(sessionId).not.toBe(0n)
    expect(passwd).toHaveLength(16)
    expect(passwd).not.toEqual(new Uint8Array(16))
  })

  it('W02 a ConnectRequest of 44 bytes, as old clients send it, is answered with 36', async () => {
    const frame = await responseTo(greeting({ readOnly: undefined }))
    expect(frame).toHaveLength(36)
    expect(decode(ConnectResponse, frame).sessionId).not.toBe(0n)
  })

  it.each([
    [-1, shortest],
    [0, shortest],
    [1, shortest],
    [5001, 5001],
    [9_999_999, longest],
  ])('W03 of %i ms asked for, %i are granted', async (timeoutMs, granted) => {
    expect((await side.open({ timeoutMs })).greeted.timeOut).toBe(granted)
  })

  it('W04 requests right behind the ConnectRequest wait for the session, however the bytes are cut', async () => {
    const get = (xid: number, path: string): Uint8Array =>
      request(xid, opcodes.getData.code, encode(WatchedPathRequest, { path, watch: false }))
    const bytes = Buffer.concat([
      greeting(),
      get(1, '/'),
      get(2, '/zookeeper'),
      request(3, opcodes.closeSession.code, new Uint8Array(0)),
    ])
    const isAnswered = async (client: RawClient): Promise<void> => {
      expect(await client.frame()).toHaveLength(37)
      for (const xid of [1, 2]) {
        const reader = new Reader((await client.frame()) ?? new Uint8Array(0))
        expect(ReplyHeader.read(reader)).toMatchObject({ xid, err: 0 })
        expect(GetDataResponse.read(reader).data).toEqual(new Uint8Array(0))
      }
      const end = new Reader((await client.frame()) ?? new Uint8Array(0))
      expect(ReplyHeader.read(end)).toMatchObject({ xid: 3, err: 0 })
      expect(await client.frame()).toBeUndefined()
    }
    const whole = await side.dial()
    whole.send(bytes)
    await isAnswered(whole)
    for (let cut = 1; cut < bytes.length; cut += 3) {
      const client = await side.dial()
      await client.sent(bytes.subarray(0, cut))
      await client.sent(bytes.subarray(cut))
      await isAnswered(client)
    }
    const drop = await side.dial()
    for (const byte of bytes) await drop.sent(Uint8Array.of(byte))
    await isAnswered(drop)
  })

  it('W05 a session is resumed with its id and password, and its ephemerals are there', async () => {
    const [first, root] = await side.begin()
    await first.create(`${root}/e`, { flags: ephemeral })
    first.drop()
    const second = await side.open({ sessionId: first.id, passwd: first.passwd })
    expect(second.id).toBe(first.id)
    expect(second.passwd).toEqual(first.passwd)
    const { stat } = await second.get('exists', { path: `${root}/e`, watch: false })
    expect(stat.ephemeralOwner).toBe(first.id)
  })

  it.each([
    [1, shortest],
    [7777, 7777],
    [9_999_999, longest],
  ])('W06 resuming with %i ms asked for, %i are granted', async (timeoutMs, granted) => {
    const first = await side.open({ timeoutMs: 5000 })
    first.drop()
    const second = await side.open({ sessionId: first.id, passwd: first.passwd, timeoutMs })
    expect(second.greeted.timeOut).toBe(granted)
  })

  it('W07 a session is resumed at another member, its ephemerals kept', async () => {
    const [first, root] = await side.begin()
    await first.create(`${root}/e`, { flags: ephemeral })
    first.drop()
    const second = await side.open({ sessionId: first.id, passwd: first.passwd }, 1)
    expect(second.id).toBe(first.id)
    await second.get('sync', { path: root })
    const { stat } = await second.get('exists', { path: `${root}/e`, watch: false })
    expect(stat.ephemeralOwner).toBe(first.id)
    await second.create(`${root}/more`)
  })

  const zeroed = async (sessionId: bigint, passwd: Uint8Array): Promise<void> => {
    const client = await side.dial()
    client.send(greeting({ sessionId, passwd }))
    expect(await client.frame()).toEqual(
      encode(ConnectResponse, {
        protocolVersion: 0,
        timeOut: 0,
        sessionId: 0n,
        passwd: new Uint8Array(16),
        readOnly: false,
      }),
    )
    expect(await client.frame()).toBeUndefined()
  }

  it('W08 a wrong password gets zeros and the end; the owner’s connection stays', async () => {
    const owner = await side.open()
    await zeroed(owner.id, new Uint8Array(16).fill(7))
    await zeroed(owner.id, new Uint8Array(0))
    // 3.8.0 closes the connection of the owner too: whoever knows an id could disturb him. Not so here.
    if (side.isOurs) expect((await owner.ping()).err).toBe(0)
    else expect(await owner.closed()).toBe(0)
    await side.open({ sessionId: owner.id, passwd: owner.passwd })
  })

  it('W09 a session that never was, was closed or has expired gets zeros and the end', async () => {
    await zeroed(0x1234_5678_9abcn, new Uint8Array(16).fill(7))
    const closed = await side.open()
    await closed.close()
    await zeroed(closed.id, closed.passwd)
    const [observer, root] = await side.begin()
    const expired = await Session.open(side.port(), { timeoutMs: 1 })
    await expired.create(`${root}/e`, { flags: ephemeral })
    expired.drop()
    await until('the end of the session', async () => {
      return (await observer.err('exists', { path: `${root}/e`, watch: false })) !== 0
    })
    await zeroed(expired.id, expired.passwd)
  })

  it('W10 a client that has seen more than the server is let go without a byte', async () => {
    const client = await side.dial()
    client.send(greeting({ lastZxidSeen: 2 ** 62 }))
    expect(await client.frame()).toBeUndefined()
  })

  it('W11 a second connection of a session closes the first without a reply', async () => {
    const first = await side.open()
    const second = await side.open({ sessionId: first.id, passwd: first.passwd })
    expect(await first.closed()).toBe(0)
    expect((await second.ping()).err).toBe(0)
  })

  it('W12 a write on the connection that a session has left is not applied', async () => {
    const [first, root] = await side.begin()
    const second = await side.open({ sessionId: first.id, passwd: first.passwd }, 2)
    first.send('create', { path: `${root}/late`, data: null, acl: [], flags: 0 })
    expect(await first.closed()).toBe(0)
    await second.get('sync', { path: root })
    expect(await second.err('exists', { path: `${root}/late`, watch: false })).toBe(
      errorCodes.NoNode,
    )
  })

  it('W13 W14 a session that is left expires in time, and its ephemerals vanish at one zxid', async () => {
    const [observer, root] = await side.begin()
    for (const parent of ['a', 'b', 'c']) await observer.create(`${root}/${parent}`)
    const left = await Session.open(side.port(), { timeoutMs: 2000 })
    for (const parent of ['a', 'b', 'c']) {
      await left.create(`${root}/${parent}/e`, { flags: ephemeral })
    }
    const since = performance.now()
    left.drop()
    await until(
      'the end of the session',
      async () => (await observer.err('exists', { path: `${root}/a/e`, watch: false })) !== 0,
      { everyMs: 10 },
    )
    const tookMs = performance.now() - since
    expect(tookMs).toBeGreaterThanOrEqual(2000 - 20)
    expect(tookMs).toBeLessThan(2000 + 2 * tickMs + 200)
    const ends = await Promise.all(
      ['a', 'b', 'c'].map(async (parent) => {
        const { stat } = await observer.get('exists', { path: `${root}/${parent}`, watch: false })
        expect(stat.numChildren).toBe(0)
        return stat.pzxid
      }),
    )
    expect(new Set(ends).size).toBe(1)
  })

  it('W15 W16 pings alone, and reads alone, keep a session', async () => {
    const [pinging, reading] = await Promise.all([
      side.open({ timeoutMs: shortest }),
      side.open({ timeoutMs: shortest }),
    ])
    const since = performance.now()
    while (performance.now() - since < 3 * shortest) {
      const pong = await pinging.ping()
      expect({ ...pong, zxid: 0 }).toEqual({
        xid: xids.ping,
        zxid: 0,
        err: 0,
        body: new Uint8Array(0),
      })
      await reading.get('getData', { path: '/', watch: false })
      await new Promise((resolve) => setTimeout(resolve, shortest / 2)) // the pace itself is the test
    }
    await pinging.create(`/pinged-${pinging.id}`, { flags: ephemeral })
    await reading.create(`/read-${reading.id}`, { flags: ephemeral })
  })

  it('W17 a silent session with an open connection expires, and is hung up on', async () => {
    const silent = await Session.open(side.port(), { timeoutMs: shortest })
    const since = performance.now()
    expect(await silent.closed()).toBe(0)
    expect(performance.now() - since).toBeGreaterThanOrEqual(shortest - 20)
    await zeroed(silent.id, silent.passwd)
  })

  it('W18 closeSession is answered and hung up on; ephemerals are gone at once, the session cannot be resumed', async () => {
    const [observer, root] = await side.begin()
    const leaving = await side.open()
    await leaving.create(`${root}/e`, { flags: ephemeral })
    expect(await leaving.ask('closeSession', undefined)).toMatchObject({
      err: 0,
      body: new Uint8Array(0),
    })
    expect(await leaving.closed()).toBe(0)
    expect(await observer.err('exists', { path: `${root}/e`, watch: false })).toBe(
      errorCodes.NoNode,
    )
    await zeroed(leaving.id, leaving.passwd)
  })

  it('W21 a thousand sessions have ids and passwords of their own, which do not follow from the ids', async () => {
    const ids = new Set<bigint>()
    const passwords = new Set<string>()
    for (let batch = 0; batch < 20; batch++) {
      const opened = await Promise.all(Array.from({ length: 50 }, () => Session.open(side.port())))
      for (const { id, passwd } of opened) {
        expect(id).not.toBe(0n)
        ids.add(id)
        passwords.add(Buffer.from(passwd).toString('hex'))
        // ZooKeeper's are drawn from the id alone: anybody who has seen an id can work the password out.
        expect(Buffer.compare(passwd, javaPassword(id)) === 0).toBe(side.either(false, true))
        const guess = createHash('sha256').update(String(id)).digest().subarray(0, 16)
        expect(Buffer.compare(passwd, guess)).not.toBe(0)
      }
      await Promise.all(opened.map((session) => session.close()))
    }
    expect(ids.size).toBe(1000)
    expect(passwords.size).toBe(1000)
  })

  it('W22 the highest byte of a session’s id is its member’s, and every bit of it is kept', async () => {
    // A server of 3.8.0 that is alone has the id 1, whatever its myid says.
    const [session, root] = await side.begin()
    expect(session.id >> 56n).toBe(1n)
    expect(session.id).toBeGreaterThan(2n ** 53n)
    await session.create(`${root}/e`, { flags: ephemeral })
    const { stat } = await session.get('exists', { path: `${root}/e`, watch: false })
    expect(stat.ephemeralOwner).toBe(session.id)
    const third = await side.open({}, 2)
    expect(third.id >> 56n).toBe(side.either(3n, 1n))
  })
})

/** The first 16 bytes of java.util.Random(id ^ 0xB3415C00). */
function javaPassword(id: bigint): Uint8Array {
  const mask = (1n << 48n) - 1n
  let seed = (id ^ 0xb341_5c00n ^ 0x5_deec_e66dn) & mask
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  for (let at = 0; at < 16; at += 4) {
    seed = (seed * 0x5_deec_e66dn + 0xbn) & mask
    view.setInt32(at, Number(BigInt.asIntN(32, seed >> 16n)), true)
  }
  return bytes
}
