import { env as bindings } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { runInDurableObject } from 'cloudflare:test'
import type { Env } from '../../src/actors/env.ts'
import { MemberStore } from '../../src/actors/member-store.ts'
import type { Session } from '../../src/actors/session.ts'
import { rooms } from '../../src/core/tree/row-table.ts'
import { storeContract } from '../contract/store.contract.ts'

const { SESSION } = bindings as unknown as Env

let disks = 0

// Any actor has the storage a member has; a session actor leaves it alone while nobody comes to it.
storeContract('a store in SQLite', () => {
  const actor: DurableObjectStub<Session> = SESSION.getByName(`main/session/1.${++disks}`)
  return {
    use: (act) => runInDurableObject(actor, (_, { storage }) => act(new MemberStore(storage))),
  }
})

const early = [{ room: rooms.znode, key: '/', name: 'a', value: new Uint8Array(8) }]
const newActor = (): DurableObjectStub<Session> => SESSION.getByName(`main/session/1.${++disks}`)

test('[D12] [D8] where early rows stand is not to be read: the store has everything anew', async () => {
  const actor = newActor()
  await runInDurableObject(actor, (_, { storage }) => {
    new MemberStore(storage).writeEarly(early)
    const sealed = storage.kv.get<Uint8Array>('early/0') ?? new Uint8Array(0)
    sealed[6] = (sealed[6] as number) ^ 1
    storage.kv.put('early/0', sealed)
  })
  await runInDurableObject(actor, (_, { storage }) => {
    const store = new MemberStore(storage)
    expect([store.isRecovering, store.damage?.why]).toEqual([
      true,
      'the row early/0 has the wrong checksum',
    ])
    expect([...storage.kv.list({ prefix: 'early/' })]).toEqual([])
  })
})

test('[D9] a store of before there were early rows is read, and no older version reads it then', async () => {
  const actor = newActor()
  await runInDurableObject(actor, (_, { storage }) => {
    new MemberStore(storage).writeCheckpoint(early)
    storage.kv.put('format', 1)
  })
  await runInDurableObject(actor, (_, { storage }) => {
    const store = new MemberStore(storage)
    expect([store.refusal, store.names(rooms.znode, '/')]).toEqual([undefined, ['a']])
    expect(storage.kv.get('format')).toBe(2)
  })
})
