/**
 * Rows of the next checkpoint that stand among those of the present one. What stood in their places is kept beside, so that whoever
 * reads finds the present checkpoint, after a crash too: nothing has to be put back before it may be read.
 */
import { buffer, byte, Reader, record, ustring, Writer } from '../core/jute/codec.ts'
import { sound } from '../core/shared/damage.ts'
import { limits } from '../core/shared/limits.ts'
import { seal, unseal } from '../core/shared/seal.ts'
import {
  type EarlyRow,
  inOrder,
  type Row,
  type RowChange,
  type RowKey,
} from '../core/tree/row-table.ts'
import type { RowStore } from './row-store.ts'

/** What the checkpoint has in a place. */
interface Before {
  readonly place: RowKey
  /** Null: no row. Undefined: it is long and is to be read from its record. */
  readonly value: Uint8Array | null | undefined
  readonly record: string
  /** Written by an earlier life, and not since: nobody but us knows that another row stands there. */
  isStale: boolean
}

const prefix = 'early/'
const BeforeRecord = record({ room: byte, key: ustring, name: ustring, value: buffer })

/** Is it a key-value row of ours? */
export const isEarlyKey = (key: string): boolean => key.startsWith(prefix)

export class EarlyRows {
  readonly #storage: DurableObjectStorage
  readonly #rows: RowStore
  /** By room and key, then by name. */
  readonly #before = new Map<string, Map<string, Before>>()
  #lastRecord = 0

  constructor(storage: DurableObjectStorage, rows: RowStore) {
    this.#storage = storage
    this.#rows = rows
  }

  /** Reads what an earlier life wrote. Throws Damage. */
  open(): void {
    for (const [key, sealed] of this.#storage.kv.list<Uint8Array>({ prefix })) {
      this.#lastRecord = Math.max(this.#lastRecord, Number(key.slice(prefix.length)))
      for (const { value, ...place } of befores(key, sealed)) this.#note(place, value, key, true)
    }
  }

  /** To be called within a transaction. */
  write(generation: number, rows: readonly EarlyRow[]): void {
    const news: { readonly place: RowKey; readonly value: Uint8Array | null }[] = []
    for (const { isNew, room, key, name } of rows) {
      const place = { room, key, name }
      const known = this.#find(place)
      if (known !== undefined) known.isStale = false
      else news.push({ place, value: isNew ? null : (this.#rows.get(generation, place) ?? null) })
    }
    this.#record(news, false)
    this.#rows.writeAll(generation, rows)
  }

  /** The checkpoint is written. To be called within its transaction. */
  finish(generation: number): void {
    const stale = this.#all().filter(({ isStale }) => isStale)
    const values = stale.map((before) => ({ place: before.place, value: this.#valueOf(before) }))
    this.forget()
    const now = values.splice(0, limits.rowsAtLastMax)
    this.#rows.writeAll(
      generation,
      now.map(({ place, value }): RowChange => ({ ...place, value })),
    )
    this.#record(values, true)
  }

  /** What the checkpoint had is of no meaning any more. */
  forget(): void {
    for (const [key] of this.#storage.kv.list({ prefix })) this.#storage.kv.delete(key)
    this.#before.clear()
  }

  get(generation: number, place: RowKey): Uint8Array | undefined {
    const before = this.#find(place)
    return before === undefined
      ? this.#rows.get(generation, place)
      : (this.#valueOf(before) ?? undefined)
  }

  names(generation: number, room: number, key: string): string[] {
    const found = this.#rows.names(generation, room, key)
    const early = this.#before.get(idOf({ room, key }))
    if (early === undefined) return found
    const names = new Set(found)
    for (const [name, { value }] of early) {
      if (value === null) names.delete(name)
      else names.add(name)
    }
    return [...names]
  }

  page(generation: number, after: RowKey | undefined, bytesMax: number): Row[] {
    for (let from = after; ;) {
      const found = this.#rows.page(generation, from, bytesMax)
      if (this.#before.size === 0) return found
      const rows = this.#asCheckpointed(found, from)
      if (rows.length > 0 || found.length === 0) return rows
      from = found.at(-1)
    }
  }

  /** Rows as the checkpoint has them, from behind a place up to the last that was found, or to the end if none was. */
  #asCheckpointed(found: readonly Row[], after: RowKey | undefined): Row[] {
    const rows = found.filter((row) => this.#find(row) === undefined)
    const last = found.at(-1)
    for (const before of this.#all()) {
      const { place, value } = before
      if (value === null || (after !== undefined && inOrder(place, after) <= 0)) continue
      if (last !== undefined && inOrder(place, last) > 0) continue
      rows.push({ ...place, value: this.#valueOf(before) as Uint8Array })
    }
    return rows.toSorted(inOrder)
  }

  #record(
    rows: readonly { readonly place: RowKey; readonly value: Uint8Array | null }[],
    isStale: boolean,
  ): void {
    const writer = new Writer(4096)
    let keyed: string | undefined
    const flush = (): void => {
      if (keyed !== undefined) this.#storage.kv.put(keyed, seal(writer.take()))
      writer.reset()
      keyed = undefined
    }
    for (const { place, value } of rows) {
      if (keyed === undefined) {
        this.#lastRecord += 1
        keyed = prefix + this.#lastRecord
      }
      BeforeRecord.write(writer, { ...place, value })
      this.#note(place, value, keyed, isStale)
      if (writer.at > limits.beforeBytes) flush()
    }
    flush()
  }

  #note(place: RowKey, value: Uint8Array | null, key: string, isStale: boolean): void {
    const { room, name } = place
    const id = idOf(place)
    const names = this.#before.get(id) ?? new Map<string, Before>()
    this.#before.set(id, names)
    const isLong = value !== null && value.length > limits.beforeInMemoryBytes
    const before = { place: { room, key: place.key, name }, record: key, isStale }
    names.set(name, { ...before, value: isLong ? undefined : (value?.slice() ?? null) })
  }

  #valueOf({ value, record: key, place }: Before): Uint8Array | null {
    if (value !== undefined) return value
    const sealed = this.#storage.kv.get<Uint8Array>(key) ?? new Uint8Array(0)
    const found = befores(key, sealed).find((one) => inOrder(one, place) === 0)
    sound(found !== undefined, `the row ${key} lacks what it said it had`)
    return found.value
  }

  #find(place: RowKey): Before | undefined {
    return this.#before.get(idOf(place))?.get(place.name)
  }

  #all(): Before[] {
    return [...this.#before.values()].flatMap((names) => [...names.values()])
  }
}

const idOf = ({ room, key }: Omit<RowKey, 'name'>): string => `${room} ${key}`

function befores(key: string, sealed: Uint8Array): (RowKey & { value: Uint8Array | null })[] {
  const reader = new Reader(unseal(new Uint8Array(sealed), `the row ${key}`))
  const found: (RowKey & { value: Uint8Array | null })[] = []
  while (reader.left > 0) found.push(BeforeRecord.read(reader))
  return found
}
