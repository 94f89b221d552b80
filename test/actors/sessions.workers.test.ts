import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { describe, expect, test } from 'vitest'
import type { Client, State, WatchEvent } from '../../src/client/index.ts'
import { actorOf, crash, formed, hibernate, open, textOf, until } from './ensemble.ts'
import { Raw } from './raw.ts'

/** A client that must not notice anything: `states` keeps what it went through. */
async function undisturbed(options: Parameters<typeof open>[0] = {}) {
  const client = open(options)
  const states: State[] = []
  client.onState((state) => states.push(state))
  await client.ready()
  const events: WatchEvent[] = []
  return { client, states, events, watch: (event: WatchEvent) => void events.push(event) }
}

const idOf = (client: Client): bigint => client.session?.id ?? 0n

describe('when the member that serves a session dies', () => {
  test.each(['leader', 'follower'] as const)(
    '[S1] a session at rest stays connected: its watches fire, its ephemerals stay (%s)',
    async (role) => {
      const { [role]: served } = await formed()
      const { client, states, events, watch } = await undisturbed({
        member: served,
        timeoutMs: 1000,
      })
      const root = await client.create('/rest-', { mode: 'persistentSequential' })
      await client.create(`${root}/mine`, { mode: 'ephemeral' })
      await client.get(root, { watch })
      await client.getChildren(root, { watch })
      await client.exists(`${root}/later`, { watch })
      await crash(served)
      await formed()
      const other = open()
      await other.set(root, 'changed')
      await other.create(`${root}/later`)
      await until('the events', () => events.length === 3, 4000)
      expect(events.map(({ type, path }) => `${type} ${path}`).toSorted()).toEqual([
        `childrenChanged ${root}`,
        `created ${root}/later`,
        `dataChanged ${root}`,
      ])
      expect((await other.exists(`${root}/mine`))?.ephemeralOwner).toBe(idOf(client))
      expect(textOf((await client.get(root)).data)).toBe('changed')
      expect(states).toEqual(['connected'])
    },
  )
})

describe('when a session actor hibernates', () => {
  test('[S2] its sockets go on: same session, watches set before fire, requests are answered', async () => {
    await formed()
    const { client, states, events, watch } = await undisturbed()
    const root = await client.create('/hibernates-', { mode: 'persistentSequential' })
    await client.get(root, { watch })
    await client.getChildren(root, { watch })
    await client.exists(`${root}/later`, { watch })
    const session = idOf(client)
    await hibernate(session)
    const other = open({ member: 2 })
    await other.set(root, 'changed')
    await other.create(`${root}/later`)
    await until('the events', () => events.length === 3, 4000)
    expect(textOf((await client.get(root)).data)).toBe('changed')
    await client.create(`${root}/own`, { mode: 'ephemeral' })
    expect((await other.exists(`${root}/own`))?.ephemeralOwner).toBe(session)
    expect(states).toEqual(['connected'])
  })

  test('[S2] a neighbour that leaves meanwhile is missed by nobody', async () => {
    await formed()
    const writer = open({ member: 2 })
    const path = await writer.create('/neighbours-', { mode: 'persistentSequential' })
    const [stays, leaves] = [await Raw.begin('?member=1'), await Raw.begin('?member=1')]
    for (const raw of [stays, leaves]) await raw.ask('getData', { path, watch: true })
    await hibernate(stays.id)
    leaves.close()
    const comes = await Raw.begin('?member=1')
    await writer.set(path, 'changed')
    await until('the event', () => stays.events().length === 1, 4000)
    expect((await comes.ask('exists', { path, watch: false })).err).toBe(0)
    expect(comes.events()).toEqual([])
    const back = await leaves.resume('?member=1')
    expect(back.id).toBe(leaves.id)
  })

  test('[S2] with 50,000 watches, in rows that the platform takes, and over a member’s restart too', async () => {
    await formed()
    const root = await open().create('/many-', { mode: 'persistentSequential' })
    const raw = await Raw.begin('?member=1', { timeoutMs: 4000 })
    const paths = Array.from(
      { length: 50_000 },
      (_, at) => `${root}/${String(at).padStart(40, '0')}`,
    )
    for (let from = 0; from < paths.length; from += 2500) {
      const existWatches = paths.slice(from, from + 2500)
      const body = { relativeZxid: 0, dataWatches: [], existWatches, childWatches: [] }
      expect((await raw.ask('setWatches', body)).err).toBe(0)
    }
    await until('the whole to be saved', async () => (await partsOf(raw.id)).length > 40)
    const parts = await partsOf(raw.id)
    expect(Math.max(...parts)).toBeLessThanOrEqual(64 * 1024)
    expect(parts.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThan(2_000_000)
    await hibernate(raw.id)
    await open().create(paths[49_999] as string)
    await until('the event', () => raw.events().length === 1, 4000)
    await crash(1)
    await formed()
    await open().create(paths[0] as string)
    await until('the other event', () => raw.events().length === 2, 8000)
    expect(raw.events().map(({ path }) => path)).toEqual([paths[49_999], paths[0]])
    expect(raw.closed).toBe(undefined)
  })

  test('[S2] twice in a row', async () => {
    await formed()
    const { client, states, events, watch } = await undisturbed()
    const path = await client.create('/twice-', { mode: 'persistentSequential' })
    for (const text of ['one', 'two']) {
      await client.get(path, { watch })
      await hibernate(idOf(client))
      await open().set(path, text)
      await until('the event', () => events.length > 0, 4000)
      expect(events.splice(0)).toEqual([{ type: 'dataChanged', path }])
    }
    expect(states).toEqual(['connected'])
  })
})

describe('when a session actor loses its sockets', () => {
  test('[S3] its clients resume their sessions, with watches and ephemerals', async () => {
    await formed()
    const { client, states, events, watch } = await undisturbed()
    const path = await client.create('/closed-', { mode: 'ephemeralSequential' })
    await client.get(path, { watch })
    const session = idOf(client)
    await evictDurableObject(actorOf(session), { webSockets: 'close' })
    await until('the client to resume', () => states.length === 3, 5000)
    expect(states).toEqual(['connected', 'suspended', 'connected'])
    expect(idOf(client)).toBe(session)
    await open().set(path, 'x')
    await until('the event', () => events.length === 1, 4000)
  })
})

/** The lengths of the rows that keep a session's actor's survivors. */
const partsOf = (session: bigint): Promise<number[]> =>
  runInDurableObject(actorOf(session), (_, { storage }) =>
    storage.sql
      .exec<{ bytes: number }>('select length(row) as bytes from survivor_part')
      .toArray()
      .map(({ bytes }) => bytes),
  )
