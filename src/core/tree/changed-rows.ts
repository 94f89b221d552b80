/** Rows that came or went since the checkpoint. What came and went between two checkpoints was never there. */
import { TransitMap } from '../shared/transit-map.ts'
import type { Row, RowChange, RowKey } from './row-table.ts'
import type { Slice } from './slice.ts'

interface Change {
  readonly row: RowChange
  readonly inCheckpoint: boolean
  /** A row is there: the checkpoint's, or an early one. */
  readonly hasRow: boolean
}

export class ChangedRows {
  readonly #changes = new TransitMap<string, Change>()
  /** Those that were written early. */
  readonly #early = new TransitMap<string, Change>()

  /** Those that are not written. */
  get count(): number {
    return this.#changes.size
  }

  add(row: Row): void {
    const id = idOf(row)
    const { inCheckpoint = false, hasRow = false } = this.#known(id) ?? {}
    this.#changes.set(id, { row, inCheckpoint, hasRow })
  }

  remove(place: RowKey): void {
    const id = idOf(place)
    const { inCheckpoint = true, hasRow = true } = this.#known(id) ?? {}
    if (inCheckpoint || hasRow) {
      this.#changes.set(id, { row: { ...place, value: null }, inCheckpoint, hasRow })
    } else this.#changes.delete(id)
  }

  *[Symbol.iterator](): Iterator<RowChange> {
    for (const { row, hasRow } of this.#changes.values()) {
      if (row.value !== null || hasRow) yield row
    }
  }

  /** Fills the slice with rows to be written early. */
  takeEarly(slice: Slice): void {
    for (const [id, { row, inCheckpoint, hasRow }] of this.#changes) {
      if ((row.value !== null || hasRow) && !slice.add(row, !inCheckpoint)) return
      this.#changes.delete(id)
      this.#early.set(id, { row, inCheckpoint, hasRow: row.value !== null })
    }
  }

  /** They are in the checkpoint. */
  clear(): void {
    this.#changes.clear()
    this.#early.clear()
  }

  #known(id: string): Change | undefined {
    return this.#changes.get(id) ?? this.#early.get(id)
  }
}

const idOf = ({ key, name }: RowKey): string => `${key} ${name}`
