import { expect, test } from 'vitest'
import type { State } from '../../../src/client/index.ts'
import { eventually, Fixture, refusal, type Target } from './fixture.ts'

export function sessions(target: Target): void {
  const it = new Fixture(target)
  beginning(it)
  ending(it)
  resuming(it)
  losing(it)
}

function beginning(it: Fixture): void {
  test('a session has an id, a password and a timeout', () => {
    const { session } = it.client
    expect(session?.id).not.toBe(0n)
    expect(session?.password).toHaveLength(16)
    expect(session?.password.some((byte) => byte !== 0)).toBe(true)
    expect(session?.timeoutMs).toBe(10_000)
  })

  test('the server bounds the timeout', async () => {
    const client = it.open({ timeoutMs: 1 })
    await client.ready()
    expect(client.session?.timeoutMs).toBe(it.target.minTimeoutMs)
  })

  test('two sessions have two ids and two passwords', async () => {
    const other = it.open()
    await other.ready()
    expect(other.session?.id).not.toBe(it.client.session?.id)
    expect(other.session?.password).not.toEqual(it.client.session?.password)
  })

  test('an idle session outlives its timeout', async () => {
    const client = it.open({ timeoutMs: it.target.minTimeoutMs })
    const path = await client.create(`${it.root}/e`, { mode: 'ephemeral' })
    const states: State[] = []
    client.onState((state) => states.push(state))
    await new Promise((resolve) => setTimeout(resolve, it.target.minTimeoutMs * 2.5))
    expect(states).toEqual([])
    expect(await it.client.exists(path)).toBeDefined()
  }, 60_000)
}

function ending(it: Fixture): void {
  test('close ends it behind what was asked, and its ephemerals with it', async () => {
    const client = it.open()
    await client.ready()
    const created = Promise.all(
      ['a', 'b', 'c'].map((name) => client.create(`${it.root}/${name}`, { mode: 'ephemeral' })),
    )
    const closed = client.close()
    expect(await refusal(client.get(it.root))).toBe('SessionClosed')
    expect(await created).toHaveLength(3)
    await closed
    expect(client.state).toBe('closed')
    await it.client.sync(it.root)
    const { children, stat } = await it.client.getChildren2(it.root)
    expect(children).toEqual([])
    expect(stat.cversion).toBe(6)
  })

  test('a closed session cannot be resumed', async () => {
    const client = it.open()
    await client.ready()
    const { session } = client
    await client.close()
    const again = it.open({ ...(session && { session }) })
    expect(await refusal(again.ready())).toBe('SessionExpired')
  })

  test('a silent session expires, and its ephemerals with it', async () => {
    const client = it.open({ timeoutMs: it.target.minTimeoutMs })
    const path = await client.create(`${it.root}/e`, { mode: 'ephemeral' })
    const { session } = client
    client.leave()
    expect(await it.client.exists(path)).toBeDefined()
    const patienceMs = it.target.minTimeoutMs * 4 + 5000
    await eventually(async () => expect(await it.client.exists(path)).toBeUndefined(), patienceMs)
    const again = it.open({ ...(session && { session }) })
    expect(await refusal(again.get(it.root))).toBe('SessionExpired')
    expect(again.state).toBe('expired')
  }, 60_000)
}

function resuming(it: Fixture): void {
  test('another client resumes it, with its ephemerals', async () => {
    const client = it.open()
    const path = await client.create(`${it.root}/e`, { mode: 'ephemeral' })
    const { session } = client
    client.leave()
    const next = it.open({ ...(session && { session }) })
    await next.ready()
    expect(next.session?.id).toBe(session?.id)
    const stat = await next.exists(path)
    expect(stat?.ephemeralOwner).toBe(session?.id)
    await next.close()
    await it.client.sync(it.root)
    expect(await it.client.exists(path)).toBeUndefined()
  })

  test('a wrong password does not, and the session goes on', async () => {
    const client = it.open()
    await client.ready()
    const id = client.session?.id as bigint
    const thief = it.open({ session: { id, password: new Uint8Array(16).fill(1) } })
    expect(await refusal(thief.ready())).toBe('SessionExpired')
    await client.ready()
    await client.exists(it.root).catch(() => client.exists(it.root))
    expect(client.session?.id).toBe(id)
  })

  test('a cut link is followed by another, and the session goes on', async () => {
    const { client, cut } = it.openCuttable()
    const states: State[] = []
    client.onState((state) => states.push(state))
    const path = await client.create(`${it.root}/e`, { mode: 'ephemeral' })
    const { session } = client
    for (let times = 0; times < 3; times++) {
      cut()
      expect(client.state).toBe('suspended')
      expect(await client.exists(path)).toMatchObject({ ephemeralOwner: session?.id })
    }
    expect(client.session).toEqual(session)
    expect(states.slice(1)).toEqual(Array(3).fill(['suspended', 'connected']).flat())
  })
}

function losing(it: Fixture): void {
  test('what is under way when the link is cut rejects, what is asked later waits', async () => {
    const { client, cut } = it.openCuttable()
    await client.ready()
    const underWay = client.create(`${it.root}/maybe`)
    await Promise.resolve()
    cut()
    const later = client.create(`${it.root}/surely`)
    expect(await refusal(underWay)).toBe('ConnectionLoss')
    expect(await later).toBe(`${it.root}/surely`)
  })
}
