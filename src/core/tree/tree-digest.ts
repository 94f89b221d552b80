/** The digest of a whole tree: the sum of what its nodes add, kept up to date only where it is asked for. */
import type { CachedNode } from './node-cache.ts'
import { digestOf } from './znode.ts'

export class TreeDigest {
  /** Nodes whose part of the digest is out of date, also those deleted meanwhile. */
  #stale: CachedNode[] = []
  #high = 0
  #low = 0

  restore(high: number, low: number): void {
    this.#high = high
    this.#low = low
  }

  /** The two halves, up to date. */
  get halves(): { readonly digestHigh: number; readonly digestLow: number } {
    this.update()
    return { digestHigh: this.#high, digestLow: this.#low }
  }

  /** 64 bits in hex, as ZooKeeper's `hash` prints it. */
  get hex(): string {
    this.update()
    const high = this.#high.toString(16)
    return high === '0' ? this.#low.toString(16) : high + this.#low.toString(16).padStart(8, '0')
  }

  /** The node is new or other than it was. */
  changed(node: CachedNode): void {
    if (node.isStale) return
    node.isStale = true
    this.#stale.push(node)
  }

  deleted(node: CachedNode): void {
    this.#add(-node.digest)
    node.isStale = false
  }

  /** Brings what each node adds up to date, with what its row says of it. */
  update(): void {
    for (const node of this.#stale) {
      if (!node.isStale) continue
      node.isStale = false
      const now = digestOf(node.path, node)
      this.#add(now - node.digest)
      node.digest = now
    }
    this.#stale = []
  }

  #add(amount: number): void {
    const low = this.#low + amount
    const carry = Math.floor(low / two32)
    this.#low = low - carry * two32
    this.#high = (this.#high + carry) >>> 0
  }
}

const two32 = 0x1_0000_0000
