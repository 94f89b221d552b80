/** A leader without an ensemble: requests become txns, and what is proposed is applied when a test says so. */
import { type Decoded, Writer } from '../../src/core/jute/codec.ts'
import type { Acl } from '../../src/core/jute/records.ts'
import {
  asSessionId,
  asSid,
  asZxid,
  type SessionId,
  type Zxid,
} from '../../src/core/shared/units.ts'
import type { QuotaWarning, Rules } from '../../src/core/request/prepare.ts'
import { type Configuration, firstConfiguration } from '../../src/core/zab/configuration.ts'
import { Proposer } from '../../src/core/request/proposer.ts'
import type { Identity } from '../../src/core/tree/acl.ts'
import type { TreeEvent } from '../../src/core/tree/events.ts'
import { worldAnyone } from '../../src/core/tree/acl.ts'
import { type Outcome, Tree } from '../../src/core/tree/tree.ts'
import { readTxn, type TxnBody, type TxnHeader } from '../../src/core/tree/txn.ts'
import { type MultiOperation, writeMultiRequest } from '../../src/core/wire/multi.ts'
import { createFlags, eventTypes, type Operation, opcodes } from '../../src/core/wire/opcodes.ts'
import { writeRequest } from '../../src/core/wire/packets.ts'
import { refusalOf } from '../../src/core/wire/refusals.ts'
import { entriesOf } from '../../src/core/zab/log-batch.ts'
import { MemoryStore } from '../support/memory-store.ts'

export const session = (id: number): SessionId => asSessionId(BigInt(id))
export const nobodysAcl: readonly Acl[] = [{ perms: 0, id: { scheme: 'world', id: 'anyone' } }]
export const aclOf = (perms: number): readonly Acl[] => [
  { perms, id: { scheme: 'world', id: 'anyone' } },
]
export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

const eventNames = Object.fromEntries(
  Object.entries(eventTypes).map(([name, code]) => [code, name]),
)

type Flag = keyof typeof createFlags

function frame<O extends Operation>(
  operation: O,
  body: Decoded<(typeof opcodes)[O]['request']>,
): Uint8Array {
  return writeRequest(1, operation, body).slice(4)
}

/** A request of any write, as its frame without the length. */
export const ask = {
  create: (path: string, flag: Flag = 'persistent', acl = worldAnyone, data = 'x') =>
    frame('create', { path, data: bytesOf(data), acl, flags: createFlags[flag] }),
  create2: (path: string, flag: Flag = 'persistent') =>
    frame('create2', { path, data: bytesOf('x'), acl: worldAnyone, flags: createFlags[flag] }),
  createFlags: (path: string, flags: number, acl = worldAnyone) =>
    frame('create', { path, data: null, acl, flags }),
  delete: (path: string, version = -1) => frame('delete', { path, version }),
  set: (path: string, data: string | null = 'y', version = -1) =>
    frame('setData', { path, data: data === null ? null : bytesOf(data), version }),
  setAcl: (path: string, acl: readonly Acl[] = worldAnyone, version = -1) =>
    frame('setAcl', { path, acl, version }),
  close: () => frame('closeSession', undefined),
  reconfig: (change: { joining?: string; leaving?: string; members?: string; version?: number }) =>
    frame('reconfig', {
      joiningServers: change.joining ?? null,
      leavingServers: change.leaving ?? null,
      newMembers: change.members ?? null,
      curConfigId: change.version ?? -1,
    }),
  multi: (...operations: MultiOperation[]) => {
    const writer = new Writer()
    writer.int(1)
    writer.int(opcodes.multi.code)
    writeMultiRequest(writer, operations as never)
    return writer.take()
  },
}

/** Operations inside a multi. */
export const op = {
  create: (path: string, flag: Flag = 'persistent', acl = worldAnyone): MultiOperation => ({
    operation: 'create',
    request: { path, data: bytesOf('x'), acl, flags: createFlags[flag] },
  }),
  delete: (path: string, version = -1): MultiOperation => ({
    operation: 'delete',
    request: { path, version },
  }),
  set: (path: string, version = -1): MultiOperation => ({
    operation: 'setData',
    request: { path, data: bytesOf('m'), version },
  }),
  check: (path: string, version = -1): MultiOperation => ({
    operation: 'check',
    request: { path, version },
  }),
}

export interface Applied {
  readonly zxid: Zxid
  readonly body: TxnBody
  readonly outcome: Outcome
  readonly events: readonly string[]
}

export class Machine {
  readonly store: MemoryStore
  readonly tree: Tree
  readonly proposer: Proposer
  /** What whoever asks has proved. */
  identities: Identity[] = []
  readonly warnings: QuotaWarning[] = []
  /** What a leader's consensus would say. */
  readonly ensemble = {
    active: firstConfiguration({ voters: [1, 2, 3].map(asSid), observers: [] }).withVersion(
      asZxid(0x1_0000_0000),
    ),
    synced: [1, 2, 3].map(asSid),
    gather({ quorum }: Configuration): boolean {
      return quorum.isQuorum(this.synced)
    },
  }
  readonly rules: { -readonly [K in keyof Rules]: Rules[K] }
  #number = 0
  #timeMs = 1000

  constructor(cacheBytes = Infinity, store = new MemoryStore(), rules: Partial<Rules> = {}) {
    this.store = store
    this.tree = new Tree(store, cacheBytes)
    this.rules = {
      extendedTypesEnabled: true,
      enforceQuota: true,
      reconfigEnabled: true,
      standaloneEnabled: true,
      maxMembers: 9,
      isStorageFull: false,
      ...rules,
    }
    this.proposer = new Proposer(
      this.tree,
      asZxid(Math.max(this.tree.applied, 0x1_0000_0000)),
      this.rules,
      this.ensemble,
      (warning) => void this.warnings.push(warning),
    )
  }

  open(id: SessionId = session(1), sid = 1): this {
    this.propose(frame('createSession', { timeOut: 10_000 }), id, sid)
    this.apply()
    return this
  }

  /** Goes on where another one stood, whose store this one opened: times and zxids follow its own. */
  resumeFrom(other: Machine): void {
    this.#number = other.#number
    this.#timeMs = other.#timeMs
  }

  /** Prepares without applying. */
  propose(request: Uint8Array, id: SessionId = session(1), sid = 1): void {
    this.#number += 1
    this.#timeMs += 1
    const forwarded = {
      number: this.#number,
      session: id,
      attachment: 7,
      identities: this.identities,
      isLocal: false,
      frame: request,
    }
    this.proposer.prepare(asSid(sid), forwarded, this.#timeMs)
  }

  /** Applies everything proposed. */
  apply(): Applied[] {
    const applied: Applied[] = []
    this.applyEach((_, { zxid }, body, apply) => {
      const { outcome, events } = apply()
      const shown = events.map(({ type, path }) => `${eventNames[type]} ${path}`)
      applied.push({ zxid: asZxid(zxid), body, outcome, events: shown })
    })
    return applied
  }

  /** Applies everything proposed, one after the other: `each` is told whose it is and says when. */
  applyEach(
    each: (
      origin: number,
      header: TxnHeader,
      body: TxnBody,
      apply: () => { readonly outcome: Outcome; readonly events: readonly TreeEvent[] },
    ) => void,
  ): void {
    const batch = this.proposer.take()
    for (const { txn } of batch === undefined ? [] : entriesOf(batch)) {
      const { origin, header, body } = readTxn(txn)
      // As in a replica: a member takes only what it asked for itself as an answer.
      each(origin.sid === 1 ? origin.number : -1, header, body, () => {
        const events: TreeEvent[] = []
        return { outcome: this.tree.apply(header, body, events, true), events }
      })
    }
    this.proposer.applied(this.tree.applied)
  }

  /** One request, prepared and applied. */
  run(request: Uint8Array, id: SessionId = session(1)): Applied {
    this.propose(request, id)
    return this.apply().at(-1) as Applied
  }

  /** `granted`, or the name of the refusal. */
  fate(request: Uint8Array, id: SessionId = session(1)): string {
    const { err } = this.run(request, id).outcome
    return err === 0 ? 'granted' : (refusalOf(err) ?? String(err))
  }

  writeEarly(most: number): void {
    this.store.writeEarly(this.tree.earlyRows(most))
  }

  checkpoint(): void {
    this.store.writeCheckpoint(this.tree.checkpoint().rows)
    this.tree.checkpointWritten()
  }
}
