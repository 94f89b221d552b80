import { describe, expect, test } from 'vitest'
import { decode, Reader, Writer } from '../../src/core/jute/codec.ts'
import { ConnectResponse } from '../../src/core/jute/records.ts'
import {
  type DownMessage,
  type UpMessage,
  verdicts,
  writeDown,
} from '../../src/core/session/edge-messages.ts'
import { Host } from '../../src/core/session/host/host.ts'
import type { HostConfig } from '../../src/core/session/host/host-ports.ts'
import { limits } from '../../src/core/shared/limits.ts'
import { asSid, asZxid, type Sid } from '../../src/core/shared/units.ts'
import { eventTypes } from '../../src/core/wire/opcodes.ts'
import {
  writeConnectRequest,
  writeReplyHeader,
  writeRequest,
  writeWatchEvent,
} from '../../src/core/wire/packets.ts'

const members = [1, 2, 3].map(asSid)

/** A host whose actor, clients and members are played by the test. */
class Stage {
  readonly host: Host
  readonly up: { readonly member: Sid; readonly message: UpMessage }[] = []
  readonly written = new Map<number, Uint8Array[]>()
  readonly hungUp: number[] = []
  readonly pinged = new Map<number, number>()
  now: number

  constructor(config: Partial<HostConfig> = {}, now = 100_000) {
    this.now = now
    this.host = new Host(
      {
        home: asSid(1),
        number: 1,
        members,
        tickTimeMs: 1000,
        minSessionTimeoutMs: 2000,
        maxSessionTimeoutMs: 20_000,
        sessionsMax: 3,
        outstandingLimit: 1000,
        ...config,
      },
      {
        write: (connection, frames) => {
          this.written.set(connection, [...(this.written.get(connection) ?? []), frames])
        },
        hangup: (connection) => void this.hungUp.push(connection),
        up: (member, message) => void this.up.push({ member, message }),
        passwordOf: (session) => new Uint8Array(16).fill(Number(session & 0x7fn)),
        pingedMs: (connection) => this.pinged.get(connection) ?? 0,
      },
      now,
    )
  }

  /** What was asked of members since the last call. */
  asked(): { readonly member: Sid; readonly message: UpMessage }[] {
    return this.up.splice(0)
  }

  /** The slot that a member was asked to serve last. */
  lastAsked(): { readonly slot: number } {
    const last = this.asked().at(-1)?.message
    if (last?.type !== 'open' && last?.type !== 'resume') throw new Error('nobody was asked')
    return last
  }

  connect(
    id: number,
    { pinned, survives = true }: { pinned?: number; survives?: boolean } = {},
  ): void {
    const sid = pinned === undefined ? undefined : asSid(pinned)
    const address = `client ${id}`
    this.host.connected(this.now, { id, pinned: sid, survives, address, identities: [] })
  }

  hello(
    id: number,
    {
      session = 0n,
      password = new Uint8Array(16),
      timeOut = 4000,
      lastZxidSeen = 0,
      readOnly = false,
    } = {},
  ): void {
    const hello = {
      protocolVersion: 0,
      lastZxidSeen,
      timeOut,
      sessionId: session,
      passwd: password,
      readOnly,
    }
    this.send(id, writeConnectRequest(hello))
  }

  send(id: number, ...frames: Uint8Array[]): void {
    this.host.receive(
      this.now,
      id,
      frames.map((frame) => frame.slice(4)),
    )
  }

  down(member: number, ...messages: DownMessage[]): void {
    const writer = new Writer()
    for (const message of messages) writeDown(writer, message)
    this.host.receiveDown(this.now, asSid(member), writer.take())
  }

  /** A client with a session that a member serves; answers the session's id and slot. */
  serve(id: number, how: Parameters<Stage['connect']>[1] & { timeOut?: number } = {}) {
    this.connect(id, how)
    this.hello(id, { timeOut: how.timeOut ?? 4000 })
    const opened = this.asked().at(-1)
    if (opened?.message.type !== 'open') throw new Error('no session was opened')
    const { slot, session } = opened.message
    this.down(opened.member, { type: 'attached', slot, verdict: verdicts.alive })
    return { session, slot, member: opened.member }
  }

  reply(member: number, slot: number, frames: Uint8Array): void {
    this.down(member, { type: 'frames', slot, frames })
  }

  tell(member: number, slot: number, frame: Uint8Array): void {
    this.down(member, { type: 'event', slots: [slot], frame })
  }

  /** Lets time pass until the alarm, and rings it. */
  alarm(): number {
    this.now = this.host.alarmAtMs
    this.host.wake(this.now)
    return this.now
  }

  retry(): void {
    this.now = this.host.retryAtMs
    this.host.wake(this.now)
  }

  greeting(id: number): ConnectResponse {
    const [first] = this.written.get(id) ?? []
    return decode(ConnectResponse, (first as Uint8Array).slice(4))
  }
}

const passwordOf = (session: bigint): Uint8Array<ArrayBuffer> =>
  new Uint8Array(16).fill(Number(session & 0x7fn))
const getData = (xid: number, path: string, watch = true): Uint8Array =>
  writeRequest(xid, 'getData', { path, watch })
const ok = (xid: number, zxid = 1): Uint8Array => writeReplyHeader(xid, asZxid(zxid), 0)

describe('a new session', () => {
  test('[S12] has its actor in the high bits of its id, and no two are the same', () => {
    const stage = new Stage({ home: asSid(2), number: 0x1234, sessionsMax: 100 })
    const ids = Array.from({ length: 50 }, (_, at) => stage.serve(at + 1).session)
    expect(new Set(ids).size).toBe(50)
    for (const id of ids) expect(id >> 40n).toBe(0x021234n)
  })

  test('[S12] of a member above 127 has a negative id, as in ZooKeeper', () => {
    const { session } = new Stage({ home: asSid(200) }).serve(1)
    expect(session).toBeLessThan(0n)
    expect(BigInt.asUintN(64, session) >> 56n).toBe(200n)
  })

  test('keeps what comes before it is served, though the bytes it came in are read into again', () => {
    const stage = new Stage()
    stage.connect(1)
    stage.hello(1)
    const { slot } = stage.lastAsked()
    const frame = getData(1, '/a').slice(4)
    const asked = frame.slice()
    stage.host.receive(stage.now, 1, [frame])
    frame.fill(0)
    stage.down(1, { type: 'attached', slot, verdict: verdicts.alive })
    expect(stage.asked()[0]?.message).toEqual({ type: 'request', slot, frame: asked })
  })

  test('[S12] whose id is taken takes another', () => {
    const stage = new Stage()
    stage.connect(1)
    stage.hello(1)
    const first = stage.asked()[0]?.message as UpMessage & { type: 'open' }
    stage.down(1, { type: 'attached', slot: first.slot, verdict: verdicts.taken })
    const second = stage.asked()[0]?.message as UpMessage & { type: 'open' }
    expect(second.session).not.toBe(first.session)
    stage.down(1, { type: 'attached', slot: second.slot, verdict: verdicts.alive })
    expect(stage.greeting(1).sessionId).toBe(second.session)
  })

  test('[S4] an id that was taken is judged too: our own asking may have made it', () => {
    const stage = new Stage()
    stage.connect(1)
    stage.hello(1)
    const first = stage.asked()[0]?.message as UpMessage & { type: 'open' }
    stage.down(1, { type: 'attached', slot: first.slot, verdict: verdicts.taken })
    stage.asked()
    for (let rings = 0; rings < 20 && stage.now < 122_000; rings++) stage.alarm()
    const ended = stage.asked().map(({ message }) => message)
    expect(ended).toContainEqual({ type: 'expire', session: first.session })
  })

  test('[S4] whose open went astray is another one at the next try: what ended must not begin again', () => {
    const stage = new Stage()
    stage.connect(1, { survives: true })
    stage.hello(1)
    const first = stage.asked()[0]?.message as UpMessage & { type: 'open' }
    stage.host.memberLost(stage.now, asSid(1))
    stage.retry()
    const second = stage.asked().at(-1)?.message as UpMessage & { type: 'open' }
    expect(second.type).toBe('open')
    expect(second.session).not.toBe(first.session)
    stage.down(2, { type: 'attached', slot: second.slot, verdict: verdicts.alive })
    expect(stage.greeting(1).sessionId).toBe(second.session)
    // What the first asking may still make is judged.
    for (let rings = 0; rings < 20 && stage.now < 122_000; rings++) {
      stage.send(1, getData(1, '/a'))
      stage.alarm()
    }
    const ended = stage.asked().filter(({ message }) => message.type === 'expire')
    expect(ended.map(({ message }) => message)).toContainEqual({
      type: 'expire',
      session: first.session,
    })
  })

  test('[S4] what an open may still make after its end is ended once more', () => {
    const stage = new Stage()
    stage.connect(1, { survives: true })
    stage.hello(1)
    const opened = stage.asked()[0]?.message as UpMessage & { type: 'open' }
    // Never answered: its time is over, and the leader knows of no such session yet.
    stage.alarm()
    const { session } = opened
    expect(stage.asked().map(({ message }) => message)).toEqual([{ type: 'expire', session }])
    stage.down(1, { type: 'expired', session })
    expect(stage.hungUp).toEqual([1])
    for (let rings = 0; rings < 2; rings++) stage.alarm()
    expect(stage.asked().map(({ message }) => message)).toEqual([{ type: 'expire', session }])
    stage.down(1, { type: 'expired', session })
    expect(stage.host.sessionCount).toBe(0)
  })

  test('[S5] the platform’s last ping counts when its connection is gone', () => {
    const stage = new Stage()
    const { session } = stage.serve(1)
    stage.now += 3900
    stage.pinged.set(1, stage.now)
    stage.host.disconnected(stage.now, 1)
    stage.alarm()
    expect(stage.now).toBeLessThan(100_000 + 3900 + 4000)
    stage.asked()
    stage.alarm()
    expect(stage.now).toBeGreaterThanOrEqual(100_000 + 3900 + 4000)
    expect(stage.asked().map(({ message }) => message)).toEqual([{ type: 'expire', session }])
  })

  test('[S9] is granted a timeout within the bounds', () => {
    for (const [asked, granted] of [
      [-1, 2000],
      [1999, 2000],
      [2001, 2001],
      [20_001, 20_000],
    ]) {
      const stage = new Stage()
      stage.serve(1, { timeOut: asked as number })
      expect(stage.greeting(1).timeOut).toBe(granted)
    }
  })

  test('[S13] requests sent behind the handshake wait for it, and keep their order', () => {
    const stage = new Stage()
    stage.connect(1)
    stage.hello(1)
    stage.send(1, getData(1, '/a'), getData(2, '/b'))
    const [opened, ...rest] = stage.asked()
    expect(rest).toEqual([])
    stage.down(1, {
      type: 'attached',
      slot: opened?.message.type === 'open' ? opened.message.slot : -1,
      verdict: verdicts.alive,
    })
    const passed = stage.asked().map(({ message }) => message)
    expect(
      passed.map((one) => one.type === 'request' && new Reader(one.frame as Uint8Array).int()),
    ).toEqual([1, 2])
  })

  test('[S12] goes to the member the client asked for, else to home', () => {
    const stage = new Stage()
    expect(stage.serve(1, { pinned: 3 }).member).toBe(3)
    expect(stage.serve(2).member).toBe(1)
  })
})

describe('[S4] a silent session', () => {
  test.each([
    [100_000, 4000, 105_000],
    [100_001, 4000, 105_000],
    [100_999, 4000, 105_000],
    [101_000, 4000, 106_000],
    [100_500, 2500, 104_000],
  ])(
    'last heard at %i with a timeout of %i is judged at %i: rounded up to a tick',
    (heard, timeOut, at) => {
      const stage = new Stage({}, heard)
      stage.serve(1, { timeOut })
      expect(stage.host.alarmAtMs).toBe(at)
    },
  )

  test('is closed through the member that serves it, until the ensemble says that it is gone', () => {
    const stage = new Stage()
    const { session } = stage.serve(1, { pinned: 2 })
    stage.alarm()
    expect(stage.asked()).toEqual([{ member: 2, message: { type: 'expire', session } }])
    stage.alarm()
    expect(stage.asked()).toMatchObject([{ message: { type: 'expire', session } }])
    stage.down(3, { type: 'expired', session })
    expect(stage.hungUp).toEqual([1])
    expect(stage.host.sessionCount).toBe(0)
    stage.alarm()
    expect(stage.host.alarmAtMs).toBe(Infinity)
  })

  test('lives on whenever anything is heard, also what the platform answered', () => {
    const stage = new Stage()
    stage.serve(1)
    stage.now += 3000
    stage.send(1, getData(1, '/'))
    stage.asked()
    expect(stage.alarm()).toBe(105_000)
    expect(stage.host.alarmAtMs).toBe(108_000)
    stage.pinged.set(1, 107_500)
    stage.alarm()
    expect(stage.asked()).toEqual([])
    expect(stage.host.alarmAtMs).toBe(112_000)
  })

  test('without a connection is closed through any member', () => {
    const stage = new Stage()
    const { session, slot } = stage.serve(1)
    stage.host.disconnected(stage.now, 1)
    expect(stage.asked()).toEqual([{ member: 1, message: { type: 'drop', slot } }])
    stage.alarm()
    expect(stage.asked()).toMatchObject([{ message: { type: 'expire', session } }])
  })

  test('is not resumed once its end is proposed', () => {
    const stage = new Stage()
    const { session } = stage.serve(1)
    stage.alarm()
    stage.connect(2)
    stage.hello(2, { session, password: passwordOf(session) })
    expect(stage.greeting(2)).toMatchObject({ timeOut: 0, sessionId: 0n })
    expect(stage.hungUp).toEqual([2])
  })

  test('has its full time again after no member could take its end for a tick', () => {
    const stage = new Stage()
    const { session } = stage.serve(1)
    stage.alarm()
    let failedMs = stage.now
    while (stage.host.alarmAtMs - stage.now <= 1000 && stage.now < 120_000) {
      for (const { member } of stage.asked()) stage.host.memberLost(stage.now, member)
      failedMs = stage.now
      if (stage.host.alarmAtMs - stage.now <= 1000) stage.alarm()
    }
    expect(failedMs - 105_000).toBeGreaterThan(1000)
    expect(stage.host.alarmAtMs - failedMs).toBeGreaterThanOrEqual(4000)
    expect(stage.host.sessionCount).toBe(1)
    stage.retry()
    expect(stage.asked()).toContainEqual(
      expect.objectContaining({ message: expect.objectContaining({ type: 'resume', session }) }),
    )
  })
})

describe('[S8] a resumed session', () => {
  test('needs the password, all of it', () => {
    const stage = new Stage()
    const { session } = stage.serve(1)
    for (const [id, password] of [
      [2, new Uint8Array(16)],
      [3, passwordOf(session).slice(0, 15)],
      [4, new Uint8Array(17).fill(Number(session & 0x7fn))],
      [5, new Uint8Array(0)],
    ] as const) {
      stage.connect(id)
      stage.hello(id, { session, password })
      expect(stage.greeting(id)).toMatchObject({ timeOut: 0, sessionId: 0n })
    }
    expect(stage.hungUp).toEqual([2, 3, 4, 5])
    expect(stage.asked()).toEqual([])
  })

  test('closes its first connection, and what comes late for that one is nobody’s', () => {
    const stage = new Stage()
    const { session, slot } = stage.serve(1)
    stage.send(1, getData(1, '/secret'))
    stage.connect(2, { pinned: 2 })
    stage.hello(2, { session, password: passwordOf(session), lastZxidSeen: 7 })
    expect(stage.hungUp).toEqual([1])
    const resumed = stage.asked().at(-1)
    expect(resumed).toMatchObject({ member: 2, message: { type: 'resume', session, lastZxid: 7 } })
    stage.reply(1, slot, ok(1))
    stage.down(2, {
      type: 'attached',
      slot: resumed?.message.type === 'resume' ? resumed.message.slot : -1,
      verdict: verdicts.alive,
    })
    expect(stage.written.get(2)?.length).toBe(1)
    expect(stage.greeting(2)).toMatchObject({ sessionId: session, timeOut: 4000 })
  })

  test('that is no more is refused as one with a wrong password is', () => {
    const stage = new Stage()
    const session = (1n << 56n) | (1n << 40n) | 5n
    stage.connect(1)
    stage.hello(1, { session, password: passwordOf(session) })
    const { slot } = stage.lastAsked()
    stage.down(1, { type: 'attached', slot, verdict: verdicts.gone })
    expect(stage.greeting(1)).toMatchObject({ timeOut: 0, sessionId: 0n })
    expect(stage.hungUp).toEqual([1])
    // The leader may have meant an end that is only proposed: it is made true.
    const expiry = stage.asked().find(({ message }) => message.type === 'expire')
    expect(expiry).toBeDefined()
    stage.down(1, { type: 'expired', session })
    expect(stage.host.sessionCount).toBe(0)
  })

  test('whose client has seen more than the member is closed without an answer', () => {
    const stage = new Stage()
    const { session } = stage.serve(1)
    stage.connect(2)
    stage.hello(2, { session, password: passwordOf(session), lastZxidSeen: 99 })
    const { slot } = stage.lastAsked()
    stage.down(1, { type: 'attached', slot, verdict: verdicts.behind })
    expect(stage.written.get(2)).toBe(undefined)
    expect(stage.hungUp).toEqual([1, 2])
    expect(stage.host.sessionCount).toBe(1)
  })
})

describe('[S1] when its member is lost', () => {
  test('a WebSocket at rest is served by the next, with the watches it has and the zxid it saw', () => {
    const stage = new Stage()
    const { session, slot } = stage.serve(1)
    stage.send(1, getData(1, '/data'), writeRequest(2, 'exists', { path: '/none', watch: true }))
    stage.send(
      1,
      writeRequest(3, 'getChildren', { path: '/dir', watch: true }),
      getData(4, '/used'),
    )
    stage.send(1, getData(5, '/refused'), getData(6, '/unwatched', false))
    const errs = [0, -101, 0, 0, -101, 0]
    errs.forEach((err, at) => stage.reply(1, slot, writeReplyHeader(at + 1, asZxid(40 + at), err)))
    stage.tell(1, slot, writeWatchEvent(50, eventTypes.dataChanged, '/used'))
    stage.asked()
    stage.host.memberLost(stage.now, asSid(1))
    expect(stage.hungUp).toEqual([])
    stage.retry()
    const found = stage.asked().find(({ message }) => message.type === 'resume')
    expect(found).toEqual({
      member: 2,
      message: {
        type: 'resume',
        timeoutMs: 4000,
        canBeReadOnly: false,
        isLocal: false,
        slot,
        session,
        address: 'client 1',
        lastZxid: 50,
        dataWatches: ['/data'],
        existWatches: ['/none'],
        childWatches: ['/dir'],
        persistentWatches: [],
        persistentRecursiveWatches: [],
        identities: [],
      },
    })
    stage.down(2, { type: 'attached', slot, verdict: verdicts.alive })
    expect(stage.written.get(1)?.length).toBe(8)
    stage.send(1, getData(7, '/later'))
    expect(stage.asked()).toMatchObject([{ member: 2, message: { type: 'request', slot } }])
  })

  test('a WebSocket with a request under way is closed: nobody knows the request’s fate', () => {
    const stage = new Stage()
    stage.serve(1)
    stage.send(1, getData(1, '/'))
    stage.host.memberLost(stage.now, asSid(1))
    expect(stage.hungUp).toEqual([1])
    expect(stage.host.sessionCount).toBe(1)
  })

  test.each([0, 1])(
    'a WebSocket with a watch that stays (mode %i) is closed: nobody can tell what it missed',
    (mode) => {
      const stage = new Stage()
      const { slot } = stage.serve(1)
      stage.send(1, writeRequest(1, 'addWatch', { path: '/a', mode }))
      stage.reply(1, slot, ok(1))
      stage.host.memberLost(stage.now, asSid(1))
      expect(stage.hungUp).toEqual([1])
      expect(stage.host.sessionCount).toBe(1)
    },
  )

  test('one whose watch that stays was removed stays too', () => {
    const stage = new Stage()
    const { slot } = stage.serve(1)
    stage.send(1, writeRequest(1, 'addWatch', { path: '/a', mode: 1 }))
    stage.send(1, writeRequest(2, 'removeWatches', { path: '/a', type: 3 }))
    for (const xid of [1, 2]) stage.reply(1, slot, ok(xid))
    stage.host.memberLost(stage.now, asSid(1))
    expect(stage.hungUp).toEqual([])
  })

  test('a TCP connection is closed with its member, as in ZooKeeper', () => {
    const stage = new Stage()
    stage.serve(1, { survives: false })
    stage.host.memberLost(stage.now, asSid(1))
    expect(stage.hungUp).toEqual([1])
  })

  test('who waits for a member asks one after the other, and one that asked for a member only that', () => {
    const stage = new Stage()
    stage.serve(1)
    stage.serve(2, { pinned: 3 })
    stage.host.memberLost(stage.now, asSid(1))
    stage.host.memberLost(stage.now, asSid(3))
    const tried: number[][] = [[], []]
    for (let round = 0; round < 4; round++) {
      stage.retry()
      const resumed = stage.asked().filter(({ message }) => message.type === 'resume')
      resumed.forEach(({ member }, at) => tried[at]?.push(member))
      for (const { member } of resumed) stage.host.memberLost(stage.now, member)
    }
    expect(tried).toEqual([
      [2, 3, 1, 2],
      [3, 3, 3, 3],
    ])
    expect(stage.hungUp).toEqual([])
  })

  test('[G5] one that waits looks among the members of now, when it was told who they are', () => {
    const stage = new Stage()
    stage.serve(1)
    stage.down(1, { type: 'members', sids: [1, 4, 5] })
    stage.down(1, { type: 'members', sids: [] })
    stage.host.memberLost(stage.now, asSid(1))
    const tried: number[] = []
    for (let round = 0; round < 3; round++) {
      stage.retry()
      const [resumed] = stage.asked().filter(({ message }) => message.type === 'resume')
      tried.push(resumed?.member ?? 0)
      stage.host.memberLost(stage.now, asSid(tried.at(-1) ?? 0))
    }
    expect(tried).toEqual([4, 5, 1])
  })

  test('requests that come meanwhile wait', () => {
    const stage = new Stage()
    const { slot } = stage.serve(1)
    stage.host.memberLost(stage.now, asSid(1))
    stage.send(1, getData(1, '/a'))
    expect(stage.asked()).toEqual([])
    stage.retry()
    stage.asked()
    stage.down(2, { type: 'attached', slot, verdict: verdicts.alive })
    expect(stage.asked()).toMatchObject([{ member: 2, message: { type: 'request' } }])
  })

  test('more watches than one call can carry follow in messages of their own', () => {
    const stage = new Stage()
    const { slot } = stage.serve(1)
    const paths = Array.from({ length: 2500 }, (_, at) => `/${String(at).padStart(999, 'x')}`)
    for (let from = 0; from < paths.length; from += 500) {
      const dataWatches = paths.slice(from, from + 500)
      const body = { relativeZxid: 0, dataWatches, existWatches: ['/none'], childWatches: [] }
      stage.send(1, writeRequest(-8, 'setWatches', body))
      stage.reply(1, slot, ok(-8))
    }
    stage.asked()
    stage.host.memberLost(stage.now, asSid(1))
    stage.retry()
    const messages = stage.asked().map(({ message }) => message)
    const arming = messages.filter((one) => one.type === 'resume' || one.type === 'rearm')
    expect(arming.map(({ type }) => type)).toEqual(['resume', 'rearm', 'rearm'])
    expect(arming.every((one) => one.slot === slot)).toBe(true)
    expect(arming.flatMap((one) => one.dataWatches)).toEqual(paths)
    expect(arming.flatMap((one) => one.existWatches)).toEqual(['/none'])
  })

  test('a watch that a deletion used up is not set again, whichever kind', () => {
    const stage = new Stage()
    const { slot } = stage.serve(1)
    stage.send(1, getData(1, '/x'), writeRequest(2, 'getChildren2', { path: '/x', watch: true }))
    for (const xid of [1, 2]) stage.reply(1, slot, ok(xid))
    stage.tell(1, slot, writeWatchEvent(9, eventTypes.deleted, '/x'))
    stage.host.memberLost(stage.now, asSid(1))
    stage.retry()
    const resumed = stage.asked().find(({ message }) => message.type === 'resume')
    expect(resumed?.message).toMatchObject({ dataWatches: [], existWatches: [], childWatches: [] })
  })
})

describe('[S2] behind hibernation', () => {
  test('[S1] a client whose reply was lost is not kept waiting for it', () => {
    const stage = new Stage()
    const { slot, member } = stage.serve(1)
    expect(stage.host.survivors()).toHaveLength(1)
    stage.send(1, getData(1, '/data'))
    expect(stage.host.survivors()).toEqual([])
    stage.reply(member, slot, ok(1, 77))
    expect(stage.host.survivors()).toHaveLength(1)
  })

  test('a session is what it was: its member, slot, watches, zxid and time', () => {
    const stage = new Stage()
    const { session, slot } = stage.serve(1)
    stage.send(1, getData(1, '/data'))
    stage.reply(1, slot, ok(1, 77))
    const rows = stage.host.survivors()
    const after = new Stage({}, stage.now + 2000)
    for (const row of rows) after.host.revive(after.now, row)
    expect(after.host.survivors()).toEqual(rows)
    expect(after.host.alarmAtMs).toBe(105_000)
    after.send(1, getData(2, '/more'))
    expect(after.asked()).toMatchObject([{ member: 1, message: { type: 'request', slot } }])
    after.host.memberLost(after.now, asSid(2))
    after.reply(1, slot, ok(2, 78))
    after.host.memberLost(after.now, asSid(1))
    after.retry()
    const resumed = after.asked().find(({ message }) => message.type === 'resume')
    expect(resumed?.message).toMatchObject({
      session,
      lastZxid: 78,
      dataWatches: ['/data', '/more'],
    })
  })

  test('[S2] what a member still says of a session that did not survive reaches no other client', () => {
    const stage = new Stage()
    stage.serve(1)
    const lost = stage.serve(2)
    stage.send(2, getData(1, '/slow'))
    const after = new Stage({}, stage.now + 2000)
    for (const row of stage.host.survivors()) after.host.revive(after.now, row)
    after.connect(3)
    after.hello(3)
    expect(after.lastAsked().slot).not.toBe(lost.slot)
    after.reply(1, lost.slot, ok(1, 77))
    expect(after.written.get(3)).toBeUndefined()
  })

  test('only sessions that a socket outlives survive', () => {
    const stage = new Stage()
    stage.serve(1, { survives: false })
    stage.serve(2)
    stage.serve(3)
    stage.host.disconnected(stage.now, 3)
    expect(stage.host.survivors().map(({ connection }) => connection)).toEqual([2])
  })
})

describe('[S14] after a crash', () => {
  test('an actor has an alarm as long as its list is not answered: the next life must ask too', () => {
    const stage = new Stage()
    stage.host.recover(stage.now)
    stage.host.wake(stage.now)
    expect(stage.host.alarmAtMs).toBeLessThan(Infinity)
  })

  test('an actor asks once more when an open of its life before can no longer be under way', () => {
    const stage = new Stage()
    stage.host.recover(stage.now)
    stage.down(1, { type: 'sessions', number: 0, sessions: [] })
    stage.asked()
    while (stage.now < 100_000 + 20_000) {
      expect(stage.asked()).toEqual([])
      stage.alarm()
    }
    expect(stage.now).toBe(100_000 + 20_000)
    expect(stage.asked()).toMatchObject([{ message: { type: 'list' } }])
    const session = (1n << 56n) | (1n << 40n) | 42n
    stage.down(1, { type: 'sessions', number: 0, sessions: [{ session, timeoutMs: 5000 }] })
    expect(stage.host.sessionCount).toBe(1)
  })

  test('an actor asks for its sessions until it is told, and judges each after its full timeout', () => {
    const stage = new Stage({ home: asSid(2), number: 7 })
    stage.host.recover(stage.now)
    const prefix = (2n << 56n) | (7n << 40n)
    const list = { type: 'list', number: 0, idsFrom: prefix, idsTo: prefix | 0xff_ffff_ffffn }
    expect(stage.asked()).toEqual([{ member: 2, message: list }])
    stage.retry()
    expect(stage.asked()).toMatchObject([{ member: 3, message: list }])
    const session = prefix | 42n
    stage.down(3, { type: 'sessions', number: 0, sessions: [{ session, timeoutMs: 5000 }] })
    expect(stage.host.alarmAtMs).toBe(Math.floor(stage.now / 1000) * 1000 + 6000)
    stage.alarm()
    expect(stage.asked()).toMatchObject([{ message: { type: 'expire', session } }])
  })
})

describe('[S10] room', () => {
  test('is for sessions and for clients that have not said yet who they are', () => {
    const stage = new Stage({ sessionsMax: 2 })
    expect(stage.host.hasRoom).toBe(true)
    stage.serve(1)
    expect(stage.host.hasRoom).toBe(true)
    stage.connect(2)
    expect(stage.host.hasRoom).toBe(false)
    stage.host.disconnected(stage.now, 2)
    expect(stage.host.hasRoom).toBe(true)
  })

  test('[S15] a client that does not say who it is in time is let go', () => {
    const stage = new Stage()
    stage.connect(1)
    stage.now += limits.handshakeMs - 1
    stage.serve(2)
    stage.host.wake(stage.now)
    expect(stage.hungUp).toEqual([])
    stage.retry()
    expect(stage.hungUp).toEqual([1])
    expect(stage.host.backlogOf(1)).toBe(0)
  })
})

test('a request under the xid of watch events is answered as any other', () => {
  const stage = new Stage()
  const { slot } = stage.serve(1)
  stage.send(1, getData(-1, '/x'))
  expect(stage.host.backlogOf(1)).toBe(1)
  stage.reply(1, slot, writeReplyHeader(-1, asZxid(5), 0))
  expect(stage.host.backlogOf(1)).toBe(0)
  expect(stage.written.get(1)).toHaveLength(2)
  stage.host.memberLost(stage.now, asSid(1))
  stage.retry()
  const resumed = stage.asked().find(({ message }) => message.type === 'resume')
  expect(resumed?.message).toMatchObject({ dataWatches: ['/x'], lastZxid: 5 })
})

test('[J1] a first frame that is no ConnectRequest closes the connection', () => {
  const stage = new Stage()
  stage.connect(1)
  stage.send(1, Uint8Array.of(0, 0, 0, 3, 1, 2, 3))
  expect(stage.hungUp).toEqual([1])
  expect(stage.asked()).toEqual([])
})

describe('[S18] a local session', () => {
  const serveLocal = (stage: Stage, survives = true) => {
    stage.connect(1, { survives })
    stage.hello(1)
    const { slot } = stage.lastAsked()
    stage.down(1, { type: 'attached', slot, verdict: verdicts.local })
    return slot
  }

  test('ends without a word to the ensemble', () => {
    const stage = new Stage()
    const slot = serveLocal(stage)
    stage.alarm()
    expect(stage.asked()).toEqual([{ member: 1, message: { type: 'drop', slot } }])
    expect(stage.hungUp).toEqual([1])
    expect(stage.host.sessionCount).toBe(0)
  })

  test('ends as any other once it may own something, whether its actor heard of that or not', () => {
    const stage = new Stage()
    serveLocal(stage)
    const body = { path: '/e', data: null, acl: [], flags: 1 }
    stage.send(1, writeRequest(1, 'create', body))
    stage.asked()
    stage.alarm()
    expect(stage.asked()).toMatchObject([{ message: { type: 'expire' } }])
  })

  test('is resumed as one, and as a global one after its upgrade', () => {
    const stage = new Stage()
    const slot = serveLocal(stage)
    stage.host.memberLost(stage.now, asSid(1))
    stage.retry()
    expect(stage.lastAsked()).toMatchObject({ type: 'resume', isLocal: true })
    stage.down(2, { type: 'attached', slot, verdict: verdicts.local })
    stage.down(2, { type: 'upgraded', slot })
    stage.host.memberLost(stage.now, asSid(2))
    stage.retry()
    expect(stage.lastAsked()).toMatchObject({ type: 'resume', isLocal: false })
  })
})

describe('[S19] without a quorum', () => {
  test('a client that takes that is told so, and let go when the quorum is back', () => {
    const stage = new Stage()
    stage.connect(1, { pinned: 2 })
    stage.hello(1, { readOnly: true })
    const { slot } = stage.lastAsked()
    stage.down(2, { type: 'attached', slot, verdict: verdicts.readOnly })
    const response = stage.written.get(1)?.[0] ?? new Uint8Array()
    expect(decode(ConnectResponse, response.subarray(4))).toMatchObject({ readOnly: true })
    stage.host.memberLost(stage.now, asSid(2))
    expect(stage.hungUp).toEqual([1])
    // It was nothing to the ensemble.
    expect(stage.host.sessionCount).toBe(0)
  })

  test('a session that was there before stays', () => {
    const stage = new Stage()
    const { session } = stage.serve(1, { survives: false })
    stage.host.memberLost(stage.now, asSid(1))
    stage.connect(2)
    const password = new Uint8Array(16).fill(Number(session & 0x7fn))
    stage.hello(2, { session, password, readOnly: true })
    const { slot } = stage.lastAsked()
    stage.down(1, { type: 'attached', slot, verdict: verdicts.readOnly })
    stage.host.memberLost(stage.now, asSid(1))
    expect(stage.hungUp).toEqual([1, 2])
    expect(stage.host.sessionCount).toBe(1)
  })

  test('a client that does not take that is let go without a word', () => {
    const stage = new Stage()
    stage.connect(1, { pinned: 2 })
    stage.hello(1)
    const { slot } = stage.lastAsked()
    stage.down(2, { type: 'attached', slot, verdict: verdicts.unwelcome })
    expect([stage.hungUp, stage.written.get(1)]).toEqual([[1], undefined])
  })
})

describe('[R8] who asks more than may wait is read slower', () => {
  const ping = () => writeRequest(1, 'ping', undefined)

  test('where others use up what there is, too, but never while nothing of his waits', () => {
    const stage = new Stage({ outstandingLimit: 2 })
    const first = stage.serve(1)
    stage.serve(2)
    stage.send(1, ping(), ping(), ping())
    expect([1, 2].map((id) => stage.host.isThrottled(id))).toEqual([true, false])
    stage.send(2, ping())
    expect([1, 2].map((id) => stage.host.isThrottled(id))).toEqual([true, true])
    for (let replied = 0; replied < 2; replied++) {
      const reply = ok(1)
      stage.reply(first.member, first.slot, reply)
    }
    expect([1, 2].map((id) => stage.host.isThrottled(id))).toEqual([false, false])
  })

  test('a WebSocket, which nobody can read slower, is told apart when it sends without end', () => {
    const stage = new Stage()
    const { member, slot } = stage.serve(1)
    const most = limits.socketBacklogBytesMax / 1_000_000
    const big = new Uint8Array(1_000_000)
    for (let sent = 0; sent < most - 1; sent++) stage.send(1, big)
    expect(stage.host.isFlooding(1)).toBe(false)
    stage.send(1, big, big)
    expect(stage.host.isFlooding(1)).toBe(true)
    for (let replied = 0; replied < 10; replied++) stage.reply(member, slot, ok(1))
    // Whoever reads his replies may go on for ever.
    for (let sent = 0; sent < 100; sent++) {
      stage.send(1, big)
      stage.reply(member, slot, ok(1))
      expect(stage.host.isFlooding(1)).toBe(false)
    }
  })

  test('by bytes as by number; whoever leaves takes his own along', () => {
    const stage = new Stage()
    stage.serve(1)
    stage.serve(2)
    const big = new Uint8Array(limits.unansweredBytesMax / 4)
    for (let at = 0; at < 5; at++) stage.send(1, big)
    stage.send(2, ping())
    expect([1, 2].map((id) => stage.host.isThrottled(id))).toEqual([true, true])
    stage.host.disconnected(stage.now, 1)
    expect(stage.host.isThrottled(2)).toBe(false)
  })
})
