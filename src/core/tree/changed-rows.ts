/** Rows that came or went since the checkpoint. What came and went between two checkpoints was never there. */
import type { Row, RowChange, RowKey } from './row-table.ts'

export class ChangedRows {
  readonly #changes = new Map<string, { readonly row: RowChange; readonly hadRow: boolean }>()

  get count(): number {
    return this.#changes.size
  }

  add(row: Row): void {
    const id = idOf(row)
    this.#changes.set(id, { row, hadRow: this.#changes.has(id) })
  }

  remove(place: RowKey): void {
    const id = idOf(place)
    const change = this.#changes.get(id)
    if (change?.hadRow === false) this.#changes.delete(id)
    else this.#changes.set(id, { row: { ...place, value: null }, hadRow: true })
  }

  *[Symbol.iterator](): Iterator<RowChange> {
    for (const { row } of this.#changes.values()) yield row
  }

  /** They are in the checkpoint. */
  clear(): void {
    this.#changes.clear()
  }
}

const idOf = ({ key, name }: RowKey): string => `${key} ${name}`
