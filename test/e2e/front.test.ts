/** The front and the session actors it carries clients to, whole. */
import { readFileSync } from 'node:fs'
import { connect as dial } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Client, connect } from '../../src/client/index.ts'
import { tcp } from '../../src/client/node-tcp.ts'
import { encode, Reader } from '../../src/core/jute/codec.ts'
import { ConnectResponse, WatchedPathRequest } from '../../src/core/jute/records.ts'
import { opcodes } from '../../src/core/wire/opcodes.ts'
import { prefixOf, writePreface } from '../../src/core/wire/trunk.ts'
import { type Ensemble, startEnsemble } from '../support/ensemble.ts'
import { until } from '../support/until.ts'
import { connectRequest, RawClient, request } from './raw-client.ts'

describe.each(['serve', 'start'] as const)('npm run %s', (mode) => {
  let ensemble: Ensemble
  const clients: Client[] = []
  beforeAll(async () => {
    const env = { SESSIONS_PER_ACTOR: '3', GLOBAL_OUTSTANDING_LIMIT: '20' }
    ensemble = await startEnsemble({ mode, env })
  })
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()))
    await ensemble?.stop()
  })

  const open = (): Client => {
    const url = `tcp://127.0.0.1:${ensemble.zkPorts[0]}`
    const client = connect(url, { transport: tcp })
    clients.push(client)
    return client
  }
  /** A session of one's own connection, and what it takes to resume it. */
  const begin = async (id = 0n, passwd: Uint8Array = new Uint8Array(16)) => {
    const client = await RawClient.dial(ensemble.zkPorts[0] ?? 0)
    client.send(connectRequest(10_000, id, passwd))
    const response = await client.frame()
    if (response === undefined) throw new Error('no ConnectResponse')
    return { client, ...ConnectResponse.read(new Reader(response)) }
  }

  it('[F2] more clients at once than an actor takes are spread over several, and resume where they were', async () => {
    const begun = await Promise.all(Array.from({ length: 10 }, () => begin()))
    const ids = begun.map(({ sessionId }) => sessionId)
    expect(new Set(ids).size).toBe(10)
    expect(new Set(ids.map(prefixOf)).size).toBeGreaterThanOrEqual(4)
    for (const { client } of begun) client.destroy()
    const resumed = await Promise.all(
      begun.map(({ sessionId, passwd }) => begin(sessionId, passwd ?? undefined)),
    )
    expect(resumed.map(({ sessionId }) => sessionId)).toEqual(ids)
    for (const { client } of resumed) {
      client.send(request(1, opcodes.exists.code, encode(WatchedPathRequest, root)))
      expect(await client.frame()).toBeDefined()
      client.destroy()
    }
  })

  it('[F3] a client that asks far more than may be unanswered is answered, in order, and others go on', async () => {
    const other = open()
    await other.create('/beside')
    const flood = await RawClient.open(ensemble.zkPorts[0] ?? 0)
    const body = encode(WatchedPathRequest, { path: '/beside', watch: false })
    const requests = Array.from({ length: 5000 }, (_, at) =>
      request(at + 1, opcodes.exists.code, body),
    )
    flood.send(Buffer.concat(requests))
    expect(await other.exists('/beside')).toBeDefined()
    for (let xid = 1; xid <= requests.length; xid++) {
      const reply = await flood.frame()
      expect(reply && new DataView(reply.buffer, reply.byteOffset).getInt32(0)).toBe(xid)
    }
    flood.destroy()
  })

  it('[F4] the runtime’s own port believes nobody without the secret', async () => {
    const config = readFileSync(
      join(ensemble.dataDir, mode === 'serve' ? 'workerd.capnp' : 'wrangler.json'),
      'utf8',
    )
    const found =
      /"front", address = "127\.0\.0\.1:(\d+)"/.exec(config) ??
      /"protocol": "tcp",\s*"port": (\d+)/.exec(config)
    const preface = { member: 1, isTrunk: true, address: '', session: 0n }
    for (const bytes of [writePreface({ ...preface, secret: 'guessed' }), connectLike]) {
      const socket = dial(Number(found?.[1]), '127.0.0.1')
      let answered = 0
      socket.on('data', ({ length }) => (answered += length))
      socket.on('error', () => undefined)
      socket.write(bytes)
      await until('the end', () => socket.closed)
      expect(answered).toBe(0)
    }
  })
})

const root = { path: '/', watch: false }

/** What a client begins with; but this is no member’s port. */
const connectLike = new Uint8Array([0, 0, 0, 45, ...new Uint8Array(45)])
