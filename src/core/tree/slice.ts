/** As many early rows as one transaction may hold. Rows under one key share pages. */
import { limits } from '../shared/limits.ts'
import type { EarlyRow, RowChange } from './row-table.ts'

export class Slice {
  readonly rows: EarlyRow[] = []
  readonly #most: number
  readonly #keys = new Set<string>()
  #bytes = 0

  constructor(most: number) {
    this.#most = most
  }

  get isFull(): boolean {
    // Where rows are put in, a page may become two.
    const pages = 2 * this.#keys.size + this.#bytes / limits.pageBytes
    return this.rows.length >= this.#most || pages >= limits.pagesAtOnceMax
  }

  /** `isNew`: the checkpoint has no row there. */
  add(row: RowChange, isNew: boolean): void {
    this.rows.push({ ...row, isNew })
    this.#keys.add(row.key)
    this.#bytes += row.key.length + row.name.length + (row.value?.length ?? 0)
  }
}
