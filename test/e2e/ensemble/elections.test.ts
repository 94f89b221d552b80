/** Leaders die one after the other, as an operator or a client would see it: by the members' log, admin and clients. */
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type Client, connect } from '../../../src/client/index.ts'
import { tcp } from '../../../src/client/node-tcp.ts'
import { asZxid, epochOf } from '../../../src/core/shared/units.ts'
import { type Ensemble, startEnsemble } from '../../support/ensemble.ts'
import { equalTrees, zabLines } from '../../support/members.ts'
import { until } from '../../support/until.ts'
import { Session } from '../conformance/session.ts'

let ensemble: Ensemble
beforeAll(async () => {
  // Checkpoints often enough that a member which lacks 10,000 txns is not given them from the log.
  ensemble = await startEnsemble({ env: { FINALIZE_WAIT: '20', SNAP_COUNT: '2000' } })
})
afterAll(() => ensemble?.stop())

const timeoutMs = 30_000
let open: Client[] = []
const clientOf = (ports = ensemble.zkPorts): Client => {
  const client = connect(
    ports.map((port) => `tcp://127.0.0.1:${port}`),
    { transport: tcp, timeoutMs, retryDelayMs: { first: 10, max: 100 } },
  )
  open.push(client)
  return client
}
afterEach(async () => {
  await Promise.all(open.map((client) => client.close()))
  open = []
})

const portOf = (sid: number): number => ensemble.zkPorts[sid - 1] ?? 0
const others = (sid: number): number[] => [1, 2, 3].filter((one) => one !== sid)
const stop = (sid: number) => ensemble.admin('POST', `members/${sid}/stop`)
const start = (sid: number) => ensemble.admin('POST', `members/${sid}/start`)
const ledBy = (sids: readonly number[]): Promise<number> =>
  until(
    'a leader',
    async () => {
      const members = await ensemble.members()
      const led = members.filter(({ sid, isServing }) => sids.includes(sid) && isServing)
      const leader = led.find(({ role }) => role === 'leader')?.sid
      return led.length === sids.length ? leader : undefined
    },
    { everyMs: 10 },
  )
/** A member that has just begun to serve may close a connection or two. */
const sessionAt = (sid: number): Promise<Session> =>
  until('a session', () => Session.open(portOf(sid)))

/** Writes without pause until it is told to end; remembers what was acknowledged, and when. */
function writing(client: Client, root: string) {
  const acknowledged: { readonly path: string; readonly zxid: number }[] = []
  let isOver = false
  const loop = async (): Promise<void> => {
    while (!isOver) {
      try {
        const { path, stat } = await client.create2(`${root}/n-`, { mode: 'persistentSequential' })
        acknowledged.push({ path, zxid: stat.czxid })
      } catch {
        // The fate of this one is not known.
      }
      await delay(5) // what dies and comes back shall have the machine, not these
    }
  }
  const done = loop()
  const end = (): Promise<void> => {
    isOver = true
    return done
  }
  return { acknowledged, end }
}

it('Z01 Z05 a hundred forced elections: each epoch has one leader, and no acknowledged write is lost', async () => {
  const writers = ensemble.zkPorts.map((_, at) =>
    clientOf([...ensemble.zkPorts.slice(at), ...ensemble.zkPorts.slice(0, at)]),
  )
  const root = await (writers[0] as Client).create('/elections')
  const sessions = await Promise.all(
    writers.map(async (writer, at) => {
      await writer.create(`/writer-${at}`, { mode: 'ephemeral' })
      return writer.session?.id
    }),
  )
  const begun = (await ensemble.formed())[0]?.epoch ?? 0
  const works = writers.map((writer) => writing(writer, root))
  for (let round = 0; round < 100; round++) {
    const leader = await ledBy([1, 2, 3])
    const epoch = (await ensemble.members())[0]?.epoch ?? 0
    // A leader that stays away for a moment lets another one lead.
    if (round % 10 === 0) {
      await stop(leader)
      await ledBy(others(leader))
      await start(leader)
    } else {
      await ensemble.restartMember(leader)
    }
    const isNewer = async (): Promise<boolean> => {
      const members = await ensemble.members()
      return members.every((member) => member.isServing && member.epoch > epoch)
    }
    await until('a newer epoch', isNewer, { everyMs: 10 })
  }
  const far = works.map(({ acknowledged }) => acknowledged.length)
  await until('every writer to go on', () =>
    works.every(({ acknowledged }, at) => acknowledged.length > (far[at] ?? 0)),
  )
  await Promise.all(works.map(({ end }) => end()))

  const leaders = new Map<number, Set<number>>()
  for (const { sid, line } of zabLines(ensemble.logs)) {
    const epoch = Number(/^leading in epoch (\d+)$/.exec(line)?.[1] ?? NaN)
    if (!Number.isNaN(epoch)) leaders.set(epoch, (leaders.get(epoch) ?? new Set()).add(sid))
  }
  expect([...leaders].filter(([, sids]) => sids.size > 1)).toEqual([])
  expect([...leaders.keys()].filter((epoch) => epoch > begun).length).toBeGreaterThanOrEqual(100)
  expect(new Set([...leaders.values()].flatMap((sids) => [...sids])).size).toBeGreaterThan(1)

  const acknowledged = works.flatMap((work) => work.acknowledged)
  const [reader] = writers as [Client]
  await reader.sync()
  const found = new Set(await reader.getChildren(root))
  expect(acknowledged.filter(({ path }) => !found.has(path.slice(root.length + 1)))).toEqual([])
  // What was acknowledged bears the epoch of a leader there was, and no zxid comes twice or goes back.
  for (const { zxid } of acknowledged) expect(leaders.has(epochOf(asZxid(zxid)))).toBe(true)
  expect(new Set(acknowledged.map(({ zxid }) => zxid)).size).toBe(acknowledged.length)
  for (const work of works) {
    const zxids = work.acknowledged.map(({ zxid }) => zxid)
    expect(zxids).toEqual(zxids.toSorted((a, b) => a - b))
  }
  expect(writers.map((writer) => writer.session?.id)).toEqual(sessions)
  await equalTrees(ensemble)
  console.log(`100 forced elections: ${acknowledged.length} acknowledged writes, none missing`)
}, 300_000)

it('Z02 the member with the newest log leads, whatever its number', async () => {
  const client = clientOf()
  await client.create('/newest')
  for (const newest of [1, 2]) {
    const [other, behind] = others(newest) as [number, number]
    await stop(behind)
    await ledBy([newest, other])
    await until('a write', () => client.set('/newest', `of ${newest}`))
    await stop(other)
    await stop(newest)
    // The highest number of the two, with the older log, begins to look first.
    await start(behind)
    await start(newest)
    expect(await ledBy([newest, behind])).toBe(newest)
    const reader = clientOf([portOf(behind)])
    expect(new TextDecoder().decode((await reader.get('/newest')).data ?? undefined)).toBe(
      `of ${newest}`,
    )
    await start(other)
    await ensemble.formed()
  }
  await equalTrees(ensemble)
}, 60_000)

it('Z15 a write at a follower is answered there, behind its apply: the read behind it sees it', async () => {
  const leader = await ledBy([1, 2, 3])
  for (const sid of others(leader)) {
    const session = await sessionAt(sid)
    const root = await session.create(`/through-${sid}`)
    // Each read is on its way before its write is answered.
    const rounds = Array.from({ length: 500 }, (_, at) => at + 1)
    for (const version of rounds) {
      const data = new TextEncoder().encode(String(version))
      session.send('setData', { path: root, data, version: -1 })
      session.send('getData', { path: root, watch: false })
    }
    for (const version of rounds) {
      const [written, read] = [await session.next(), await session.next()]
      expect([written?.err, read?.err]).toEqual([0, 0])
      const length = new DataView(read?.body.slice().buffer ?? new ArrayBuffer(4)).getInt32(0)
      expect(new TextDecoder().decode(read?.body.subarray(4, 4 + length))).toBe(String(version))
      expect(read?.zxid).toBeGreaterThanOrEqual(written?.zxid ?? Infinity)
    }
    await session.close()
  }
})

it('Z08 a member that lacks a little gets a DIFF, one that lacks more than is kept a SNAP', async () => {
  const client = clientOf()
  const root = await client.create('/lag')
  const leader = await ledBy([1, 2, 3])
  const [late = 0] = others(leader)
  const remedyOf = async (writes: number): Promise<string | undefined> => {
    await stop(late)
    await until('it gone', async () => !(await ensemble.members())[late - 1]?.isServing)
    const session = await sessionAt(leader)
    for (let at = 0; at < writes; at++) {
      session.send('setData', { path: root, data: new Uint8Array(100), version: -1 })
    }
    for (let at = 0; at < writes; at++) expect((await session.next())?.err).toBe(0)
    await session.close()
    const before = ensemble.logs.length
    await start(late)
    await ensemble.formed()
    await equalTrees(ensemble)
    const lines = zabLines(ensemble.logs.slice(before))
    return lines
      .filter(({ sid }) => sid === leader)
      .map(({ line }) => new RegExp(`^${late} is at \\S+ (DIFF|TRUNC|SNAP)`).exec(line)?.[1])
      .find((remedy) => remedy !== undefined)
  }
  expect(await remedyOf(10)).toBe('DIFF')
  expect(await remedyOf(10_000)).toBe('SNAP')
  expect(await remedyOf(10)).toBe('DIFF')
}, 120_000)

it('Z21 two hundred clients keep their sessions and ephemerals while leaders die', async () => {
  const expired: number[] = []
  const clients = Array.from({ length: 200 }, (_, at) => {
    const client = clientOf([...ensemble.zkPorts.slice(at % 3), ...ensemble.zkPorts])
    client.onState((state) => state === 'expired' && expired.push(at))
    return client
  })
  const root = await (clients[0] as Client).create('/storm')
  await Promise.all(
    clients.map((client, at) => client.create(`${root}/${at}`, { mode: 'ephemeral' })),
  )
  const ids = clients.map((client) => client.session?.id)
  for (let round = 0; round < 5; round++) {
    await ensemble.restartMember(await ledBy([1, 2, 3]))
    await Promise.all(
      clients.map((client, at) =>
        until('its write', () => client.set(`${root}/${at}`, String(round)), { everyMs: 20 }),
      ),
    )
  }
  expect(expired).toEqual([])
  expect(clients.map((client) => client.session?.id)).toEqual(ids)
  const reader = clients[0] as Client
  await reader.sync()
  expect(await reader.getChildren(root)).toHaveLength(200)
  await equalTrees(ensemble)
}, 120_000)
