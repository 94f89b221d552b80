/**
 * What a session actor keeps on disk: the secret of its passwords, and, written when it comes to rest, what a
 * hibernating socket must find again. Sessions themselves are the ensemble's to keep.
 */
import {
  bool,
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
import { crc32 } from '../core/shared/crc32.ts'
import { limits } from '../core/shared/limits.ts'
import { joined } from '../core/shared/pieces.ts'
import type { Survivor } from '../core/session/host/survivor.ts'

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
  canBeReadOnly: bool,
  isLocal: bool,
  mayBeGlobal: bool,
  isReadOnly: bool,
})

const EdgeRow = record({ member: int, edge: long, nextOut: long, nextIn: long })
export type EdgeRow = Decoded<typeof EdgeRow>

export class SessionStore {
  readonly #sql: SqlStorage
  /** Sums of the rows on disk, by connection and part; unknown after a restart. */
  #saved: ReadonlyMap<string, number> | undefined

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql
    this.#sql.exec('create table if not exists secret (id integer primary key, key blob)')
    this.#sql.exec('create table if not exists name (id integer primary key, name text)')
    // Of before a survivor could be more than one row; what it kept is of sockets that an update has closed.
    this.#sql.exec('drop table if exists survivor')
    this.#sql.exec(`create table if not exists survivor_part (
      connection integer, part integer, row blob, primary key (connection, part)) without rowid`)
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
    const found = this.#sql.exec<{ connection: number; row: ArrayBuffer }>(
      'select connection, row from survivor_part order by connection, part',
    )
    const parts = new Map<number, Uint8Array[]>()
    for (const { connection, row } of found) {
      const known = parts.get(connection)
      if (known === undefined) parts.set(connection, [new Uint8Array(row)])
      else known.push(new Uint8Array(row))
    }
    return Array.from(parts.values(), (rows) => decode(SurvivorRow, joined(rows)))
  }

  edges(): EdgeRow[] {
    const found = this.#sql.exec<{ row: ArrayBuffer }>('select row from edge')
    return Array.from(found, ({ row }) => decode(EdgeRow, new Uint8Array(row)))
  }

  /** Replaces what is kept by what is true now; what is there already is not written again. */
  save(survivors: readonly Survivor[], edges: readonly EdgeRow[]): void {
    const now = new Map<string, number>()
    for (const survivor of survivors) this.#saveParts(survivor.connection, survivor, now)
    for (const name of this.#saved?.keys() ?? this.#namesOfParts()) {
      if (now.has(name)) continue
      const [connection, part] = name.split('/').map(Number)
      this.#sql.exec(
        'delete from survivor_part where connection = ? and part = ?',
        connection,
        part,
      )
    }
    this.#saved = now
    this.#sql.exec('delete from edge')
    for (const row of edges) {
      this.#sql.exec('insert into edge values (?, ?)', row.member, encode(EdgeRow, row))
    }
  }

  #saveParts(connection: number, survivor: Survivor, now: Map<string, number>): void {
    const bytes = encode(SurvivorRow, survivor)
    for (let part = 0; part * limits.survivorRowBytesMax < bytes.length; part++) {
      const from = part * limits.survivorRowBytesMax
      const row = bytes.slice(from, from + limits.survivorRowBytesMax)
      const name = `${connection}/${part}`
      const sum = crc32(row)
      now.set(name, sum)
      if (this.#saved?.get(name) === sum) continue
      this.#sql.exec('insert or replace into survivor_part values (?, ?, ?)', connection, part, row)
    }
  }

  #namesOfParts(): string[] {
    const found = this.#sql.exec<{ connection: number; part: number }>(
      'select connection, part from survivor_part',
    )
    return Array.from(found, ({ connection, part }) => `${connection}/${part}`)
  }
}
