/**
 * What a session actor keeps on disk: the secret of its passwords, and, written when it comes to rest, what a
 * hibernating socket must find again. Sessions themselves are the ensemble's to keep.
 */
import {
  type Decoded,
  decode,
  encode,
  id,
  int,
  long,
  record,
  ustring,
  vector,
} from '../core/jute/codec.ts'
import { Id } from '../core/jute/records.ts'
import type { Survivor } from '../core/session/hosted.ts'

const SurvivorRow = record({
  connection: int,
  session: id,
  timeoutMs: int,
  heardMs: long,
  pinned: int,
  address: ustring,
  member: int,
  slot: int,
  lastZxid: long,
  dataWatches: vector(ustring),
  existWatches: vector(ustring),
  childWatches: vector(ustring),
  persistentWatches: vector(ustring),
  persistentRecursiveWatches: vector(ustring),
  identities: vector(Id),
})

const EdgeRow = record({ member: int, edge: long, nextOut: long, nextIn: long })
export type EdgeRow = Decoded<typeof EdgeRow>

export class SessionStore {
  readonly #sql: SqlStorage

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql
    this.#sql.exec('create table if not exists secret (id integer primary key, key blob)')
    this.#sql.exec('create table if not exists name (id integer primary key, name text)')
    this.#sql.exec('create table if not exists survivor (connection integer primary key, row blob)')
    this.#sql.exec('create table if not exists edge (member integer primary key, row blob)')
  }

  /** 32 random bytes, made once. */
  secret(): Uint8Array {
    const found = this.#sql.exec<{ key: ArrayBuffer }>('select key from secret').toArray()[0]
    if (found !== undefined) return new Uint8Array(found.key)
    const key = crypto.getRandomValues(new Uint8Array(32))
    this.#sql.exec('insert into secret values (1, ?)', key)
    return key
  }

  /**
   * The actor's name, as its first life was told it. In a cluster an actor that moves to another instance may come up
   * with its id alone.
   */
  name(told: string | undefined): string | undefined {
    const kept = this.#sql.exec<{ name: string }>('select name from name').toArray()[0]?.name
    if (kept === undefined && told !== undefined) {
      this.#sql.exec('insert into name values (1, ?)', told)
    }
    return told ?? kept
  }

  survivors(): Survivor[] {
    const found = this.#sql.exec<{ row: ArrayBuffer }>('select row from survivor')
    return Array.from(found, ({ row }) => decode(SurvivorRow, new Uint8Array(row)))
  }

  edges(): EdgeRow[] {
    const found = this.#sql.exec<{ row: ArrayBuffer }>('select row from edge')
    return Array.from(found, ({ row }) => decode(EdgeRow, new Uint8Array(row)))
  }

  /** Replaces what is kept by what is true now. */
  save(survivors: readonly Survivor[], edges: readonly EdgeRow[]): void {
    this.#sql.exec('delete from survivor')
    this.#sql.exec('delete from edge')
    for (const row of survivors) {
      this.#sql.exec('insert into survivor values (?, ?)', row.connection, encode(SurvivorRow, row))
    }
    for (const row of edges) {
      this.#sql.exec('insert into edge values (?, ?)', row.member, encode(EdgeRow, row))
    }
  }
}
