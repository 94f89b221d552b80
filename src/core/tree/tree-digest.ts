/** The digest of a whole tree: the sum of what its nodes add, kept up to date only where it is asked for. */
import type { NodeCache } from './node-cache.ts'
import { digestOf, type Znode } from './znode.ts'

export class TreeDigest {
  readonly #cache: NodeCache
  /** Paths whose part of the digest is out of date. */
  readonly #stale = new Set<string>()
  #high = 0
  #low = 0

  constructor(cache: NodeCache) {
    this.#cache = cache
  }

  restore(high: number, low: number): void {
    this.#high = high
    this.#low = low
  }

  /** The two halves, up to date. */
  get halves(): { readonly digestHigh: number; readonly digestLow: number } {
    this.#update()
    return { digestHigh: this.#high, digestLow: this.#low }
  }

  /** 64 bits in hex, as ZooKeeper's `hash` prints it. */
  get hex(): string {
    this.#update()
    const high = this.#high.toString(16)
    return high === '0' ? this.#low.toString(16) : high + this.#low.toString(16).padStart(8, '0')
  }

  /** The node at `path` is new or other than it was. */
  changed(path: string): void {
    this.#stale.add(path)
  }

  deleted(path: string, node: Znode): void {
    this.#add(-node.digest)
    this.#stale.delete(path)
  }

  #update(): void {
    for (const path of this.#stale) {
      const node = this.#cache.get(path)
      if (node === undefined) continue
      const now = digestOf(path, node)
      this.#add(now - node.digest)
      node.digest = now
    }
    this.#stale.clear()
  }

  #add(amount: number): void {
    const low = this.#low + amount
    const carry = Math.floor(low / two32)
    this.#low = low - carry * two32
    this.#high = (this.#high + carry) >>> 0
  }
}

const two32 = 0x1_0000_0000
