import { env as bindings } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { runInDurableObject } from 'cloudflare:test'
import type { Env } from '../../src/actors/env.ts'
import { MemberStore } from '../../src/actors/member-store.ts'
import type { Session } from '../../src/actors/session.ts'
import { asZxid } from '../../src/core/shared/units.ts'
import { rooms } from '../../src/core/tree/row-table.ts'
import { BatchWriter, type LogBatch } from '../../src/core/zab/log-batch.ts'
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

const early = [{ room: rooms.znode, key: '/', name: 'a', value: new Uint8Array(8), isNew: true }]
const newActor = (): DurableObjectStub<Session> => SESSION.getByName(`main/session/1.${++disks}`)

test('[D12] [D8] where early rows stand is not to be read: the store has everything anew', async () => {
  const actor = newActor()
  await runInDurableObject(actor, (_, { storage }) => {
    new MemberStore(storage).writeEarly(early)
    const sealed = storage.kv.get<Uint8Array>('early/1') ?? new Uint8Array(0)
    sealed[6] = (sealed[6] as number) ^ 1
    storage.kv.put('early/1', sealed)
  })
  await runInDurableObject(actor, (_, { storage }) => {
    const store = new MemberStore(storage)
    expect([store.isRecovering, store.damage?.why]).toEqual([
      true,
      'the row early/1 has the wrong checksum',
    ])
    expect([...storage.kv.list({ prefix: 'early/' })]).toEqual([])
  })
})

describe('[D8] of a large batch', () => {
  const inLog = async (damage: (sql: SqlStorage) => void): Promise<string> => {
    const actor = newActor()
    await runInDurableObject(actor, async (_, { storage }) => {
      const store = new MemberStore(storage)
      store.restore(asZxid(0))
      const writer = new BatchWriter()
      for (const zxid of [1, 2])
        writer.add(asZxid(zxid), (into) => into.raw(new Uint8Array(20_000)))
      store.write([{ number: 1, append: [writer.take() as LogBatch] }])
      await store.durable()
      damage(storage.sql)
    })
    return runInDurableObject(actor, (_, { storage }) => {
      try {
        return `${new MemberStore(storage).restore(asZxid(0)).batches.length} batch`
      } catch (fault) {
        return String(fault)
      }
    })
  }

  test.each([
    ['nothing', 'select 1', '1 batch'],
    ['a bit', "update batch set bytes = bytes || x'00'", /0001 has the wrong checksum/],
    ['the place', 'update batch set first = 7', /0007 is not where it was written/],
  ])('%s is damaged', async (_, statement, expected) => {
    expect(await inLog((sql) => void sql.exec(statement))).toMatch(expected)
  })
})

test('[D9] a store of before there were early rows is read, and no older version reads it then', async () => {
  const actor = newActor()
  await runInDurableObject(actor, (_, { storage }) => {
    new MemberStore(storage).writeCheckpoint(early)
    storage.sql.exec('drop table batch')
    storage.kv.put('format', 1)
  })
  await runInDurableObject(actor, (_, { storage }) => {
    const store = new MemberStore(storage)
    expect([store.refusal, store.names(rooms.znode, '/')]).toEqual([undefined, ['a']])
    expect(store.restore(asZxid(0)).batches).toEqual([])
    expect(storage.kv.get('format')).toBe(2)
  })
})
