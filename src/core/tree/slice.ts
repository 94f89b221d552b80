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

  /** `isNew`: the checkpoint has no row there. False: it has no room for this one; of a slice without rows every one has. */
  add(row: RowChange, isNew: boolean): boolean {
    const bytes = row.key.length + row.name.length + (row.value?.length ?? 0)
    // What stood there is kept beside.
    const more = isNew ? bytes : 2 * bytes
    const isTooLong = this.#pages + more / limits.pageBytes > limits.pagesAtOnceMax
    if (this.rows.length >= this.#most || (this.rows.length > 0 && isTooLong)) return false
    this.rows.push({ ...row, isNew })
    this.#keys.add(row.key)
    this.#bytes += more
    return true
  }

  get #pages(): number {
    // Where rows are put in, a page may become two.
    return 2 * this.#keys.size + this.#bytes / limits.pageBytes
  }
}
