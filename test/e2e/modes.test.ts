/** What a server may be set to, seen from outside: required proof, limits, local sessions, reads without a quorum. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decode } from '../../src/core/jute/codec.ts'
import type { Decoded } from '../../src/core/jute/codec.ts'
import { ConnectResponse, GetDataResponse } from '../../src/core/jute/records.ts'
import { worldAnyone } from '../../src/core/tree/acl.ts'
import { createFlags, type Operation, type opcodes } from '../../src/core/wire/opcodes.ts'
import { readReply, writeConnectRequest, writeRequest } from '../../src/core/wire/packets.ts'
import { errorCodes } from '../../src/core/wire/refusals.ts'
import { type Ensemble, startEnsemble } from '../support/ensemble.ts'
import { fourLetterWord } from '../support/zookeeper.ts'
import { until } from '../support/until.ts'
import { RawClient } from './raw-client.ts'

/** A session over TCP, one request at a time. */
class Asker {
  readonly #raw: RawClient
  readonly greeting: ConnectResponse
  #xid = 0

  private constructor(raw: RawClient, greeting: ConnectResponse) {
    this.#raw = raw
    this.greeting = greeting
  }

  /** Undefined: the server closed the connection without a word. */
  static async open(
    port: number,
    { readOnly = false, resume }: { readOnly?: boolean; resume?: ConnectResponse } = {},
  ): Promise<Asker | undefined> {
    const raw = await RawClient.dial(port)
    const asked = {
      protocolVersion: 0,
      lastZxidSeen: 0,
      timeOut: 10_000,
      sessionId: resume?.sessionId ?? 0n,
      passwd: resume?.passwd ?? new Uint8Array(16),
      readOnly,
    }
    raw.send(writeConnectRequest(asked))
    const greeting = await raw.frame()
    return greeting && new Asker(raw, decode(ConnectResponse, greeting))
  }

  /** The reply; undefined: the connection is closed. */
  async ask<O extends Operation>(
    operation: O,
    body: Decoded<(typeof opcodes)[O]['request']>,
  ): Promise<ReturnType<typeof readReply> | undefined> {
    this.#raw.send(writeRequest((this.#xid += 1), operation, body))
    const reply = await this.#raw.frame()
    return reply && readReply(reply)
  }

  async errOf<O extends Operation>(
    operation: O,
    body: Decoded<(typeof opcodes)[O]['request']>,
  ): Promise<number | undefined> {
    return (await this.ask(operation, body))?.header.err
  }

  isClosed(): Promise<boolean> {
    return this.#raw.frame().then((frame) => frame === undefined)
  }

  destroy(): void {
    this.#raw.destroy()
  }
}

const create = (path: string, flags: number = createFlags.persistent) => ({
  path,
  data: new Uint8Array([1]),
  acl: worldAnyone,
  flags,
})

async function opened(...how: Parameters<typeof Asker.open>): Promise<Asker> {
  const asker = await Asker.open(...how)
  if (asker === undefined) throw new Error('no session')
  return asker
}

describe('a server that requires proof and few connections', () => {
  let ensemble: Ensemble
  let port = 0
  beforeAll(async () => {
    const env = { ENFORCE_AUTH_SCHEMES: 'digest', MAX_CLIENT_CNXNS: '3', FOUR_LETTER_WORDS: 'mntr' }
    ensemble = await startEnsemble({ members: 1, env })
    port = ensemble.zkPorts[0] ?? 0
  })
  afterAll(() => ensemble?.stop())
  const password = new TextEncoder().encode('user:password')

  it('[S16] answers −124 to who proved nothing, and closes', async () => {
    const stranger = await opened(port)
    expect(await stranger.errOf('exists', { path: '/', watch: false })).toBe(-124)
    expect(await stranger.isClosed()).toBe(true)
    const friend = await opened(port)
    expect(await friend.errOf('auth', { type: 0, scheme: 'digest', auth: password })).toBe(0)
    expect(await friend.errOf('exists', { path: '/', watch: false })).toBe(0)
    friend.destroy()
  })

  it('[S17] closes the connection beyond its limit without a reply, and counts it', async () => {
    // Those of the test before leave when they leave.
    await until('nobody', async () =>
      /num_alive_connections\t0\n/.test(await fourLetterWord(port, 'mntr')),
    )
    const three = await Promise.all([opened(port), opened(port), opened(port)])
    expect(await Asker.open(port)).toBeUndefined()
    expect(await fourLetterWord(port, 'mntr')).toMatch('zk_connection_rejected\t1\n')
    three[0].destroy()
    await until('room', async () => (await Asker.open(port)) !== undefined)
    for (const one of three) one.destroy()
  })

  it('[R9] writes a line about a soft quota that is exceeded', async () => {
    const friend = await opened(port)
    await friend.ask('auth', { type: 0, scheme: 'digest', auth: password })
    const limits = new TextEncoder().encode('count=1,bytes=-1')
    const usage = new TextEncoder().encode('count=0,bytes=0')
    for (const path of ['/q', '/zookeeper/quota/q']) await friend.ask('create', create(path))
    const at = '/zookeeper/quota/q/zookeeper_'
    await friend.ask('create', { ...create(`${at}limits`), data: limits })
    await friend.ask('create', { ...create(`${at}stats`), data: usage })
    expect(await friend.errOf('create', create('/q/too-many'))).toBe(0)
    await until('the line', () => ensemble.logs.includes('"event":"quota.exceeded"'))
    expect(ensemble.logs).toMatch('"subject":"/q","limit":"count","allowed":1,"used":2')
    friend.destroy()
  })
})

describe('a server that lets few requests wait', () => {
  let ensemble: Ensemble
  beforeAll(async () => {
    const env = { GLOBAL_OUTSTANDING_LIMIT: '20' }
    ensemble = await startEnsemble({ members: 1, env })
  })
  afterAll(() => ensemble?.stop())

  it('[R8] loses nothing of a client that asks faster than it is answered', async () => {
    const port = ensemble.zkPorts[0] ?? 0
    const raw = await RawClient.open(port)
    const data = new Uint8Array(10_000)
    const asked = 2000
    for (let xid = 1; xid <= asked; xid++) {
      raw.send(writeRequest(xid, 'create', { ...create(`/n${xid}`), data }))
    }
    for (let xid = 1; xid <= asked; xid++) {
      const { header } = readReply((await raw.frame()) ?? new Uint8Array())
      expect(header).toMatchObject({ xid, err: 0 })
    }
    raw.destroy()
  })
})

describe('an ensemble with local sessions and read-only mode', () => {
  let ensemble: Ensemble
  let ports: readonly number[] = []
  beforeAll(async () => {
    const env = {
      LOCAL_SESSIONS_ENABLED: 'true',
      READ_ONLY_MODE: 'true',
      FOUR_LETTER_WORDS: 'srvr,isro,mntr',
    }
    ensemble = await startEnsemble({ env })
    ports = ensemble.zkPorts
  })
  afterAll(() => ensemble?.stop())
  const zxids = async () => new Set((await ensemble.members()).map(({ zxid }) => zxid))

  it('[S18] begins a session without a txn, and makes it global for its first ephemeral', async () => {
    const before = await zxids()
    const one = await opened(ports[1] ?? 0)
    expect(await one.errOf('exists', { path: '/', watch: false })).toBe(0)
    expect(await zxids()).toEqual(before)
    expect(await fourLetterWord(ports[1] ?? 0, 'mntr')).toMatch('zk_local_sessions\t1\n')
    expect(await one.errOf('create', create('/mine', createFlags.ephemeral))).toBe(0)
    expect(await fourLetterWord(ports[1] ?? 0, 'mntr')).toMatch(/zk_global_sessions\t1\n/)
    one.destroy()
    const again = await opened(ports[2] ?? 0, { resume: one.greeting })
    expect(again.greeting.sessionId).toBe(one.greeting.sessionId)
    expect(await again.errOf('exists', { path: '/mine', watch: false })).toBe(0)
    expect(await again.errOf('closeSession', undefined)).toBe(0)
  })

  it('[S19] a member alone serves reads to who takes that, and lets go when there is a quorum', async () => {
    const before = await opened(ports[0] ?? 0)
    expect(await before.errOf('create', create('/read-me'))).toBe(0)
    expect(await before.errOf('create', create('/held', createFlags.ephemeral))).toBe(0)
    for (const sid of [2, 3]) await ensemble.admin('POST', `members/${sid}/stop`)
    const port = ports[0] ?? 0
    await until('reads', async () => (await fourLetterWord(port, 'isro')) === 'ro')
    expect(await fourLetterWord(port, 'srvr')).toMatch('Mode: read-only')

    expect(await Asker.open(port)).toBeUndefined()
    const reader = await opened(port, { readOnly: true })
    expect(reader.greeting.readOnly).toBe(true)
    const told = await reader.ask('getData', { path: '/read-me', watch: false })
    expect([...(GetDataResponse.read(told?.body as never).data ?? [])]).toEqual([1])
    expect(await reader.errOf('create', create('/no'))).toBe(errorCodes.NotReadOnly)
    expect(await reader.errOf('sync', { path: '/' })).toBe(errorCodes.NotReadOnly)
    const held = await opened(port, { readOnly: true, resume: before.greeting })
    expect(held.greeting.sessionId).toBe(before.greeting.sessionId)
    expect(await held.errOf('exists', { path: '/held', watch: false })).toBe(0)

    for (const sid of [2, 3]) await ensemble.admin('POST', `members/${sid}/start`)
    expect(await reader.isClosed()).toBe(true)
    expect(await held.isClosed()).toBe(true)
    await ensemble.formed()
    const back = await opened(port, { readOnly: true, resume: before.greeting })
    expect(back.greeting).toMatchObject({ sessionId: before.greeting.sessionId, readOnly: false })
    expect(await back.errOf('exists', { path: '/held', watch: false })).toBe(0)
    // What began without a quorum is nothing to the ensemble.
    const gone = await opened(port, { readOnly: true, resume: reader.greeting })
    expect(gone.greeting.sessionId).toBe(0n)
    expect(await fourLetterWord(port, 'isro')).toBe('rw')
    back.destroy()
  })
})
