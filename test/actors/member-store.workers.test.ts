import { env as bindings } from 'cloudflare:workers'
import { runInDurableObject } from 'cloudflare:test'
import type { Env } from '../../src/actors/env.ts'
import { MemberStore } from '../../src/actors/member-store.ts'
import type { Session } from '../../src/actors/session.ts'
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
