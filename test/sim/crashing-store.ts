/**
 * A member's store as SQLite keeps it: a write is read at once and safe later, in order. A crash goes back to what was
 * safe, and to as much of the rest as had reached the disk by chance; an eviction loses memory and no write.
 */
import { MemoryDisk, MemoryStore } from '../support/memory-store.ts'
import type { Zxid } from '../../src/core/shared/units.ts'
import type { EarlyRow, Row, RowChange, RowKey, RowTable } from '../../src/core/tree/row-table.ts'
import type { Persist } from '../../src/core/turn.ts'
import { readBatch } from '../../src/core/zab/log-batch.ts'
import type { RestoredLog } from '../../src/core/zab/member.ts'

type Write = (store: MemoryStore) => void

export class CrashingStore implements RowTable {
  readonly #safeDisk = new MemoryDisk()
  #safe = new MemoryStore(this.#safeDisk)
  #live = new MemoryStore(copyOf(this.#safeDisk))
  #unsafe: Write[] = []

  /** How many writes a crash could lose. */
  get unsafeCount(): number {
    return this.#unsafe.length
  }

  /** The epoch that a crash cannot take back. */
  get safeEpoch(): number {
    return this.#safeDisk.currentEpoch
  }

  /** Whether no crash takes this txn back. */
  isSafe(zxid: Zxid): boolean {
    const { base, log } = this.#safeDisk
    for (let at = log.length - 1; at >= 0; at--) {
      const { first, last } = readBatch(log[at] as Uint8Array)
      if (last < zxid) return false
      if (first <= zxid) return true
    }
    return zxid <= base
  }

  /** What a waking member finds: its memory is gone, and `kept` of the writes that were not safe are there. */
  wake(kept: number): void {
    for (const write of this.#unsafe.slice(0, kept)) write(this.#safe)
    this.#unsafe = []
    this.#safe = new MemoryStore(this.#safeDisk)
    this.#live = new MemoryStore(copyOf(this.#safeDisk))
  }

  restore(committed: Zxid): RestoredLog {
    return this.#live.restore(committed)
  }

  /** The rows of one batch each may reach the disk one by one, everything else in one piece. */
  write(persist: Persist): () => void {
    const { number, append } = persist
    const isAppendOnly = append !== undefined && Object.keys(persist).length === 2
    const parts = isAppendOnly ? append.map((batch) => ({ number, append: [batch] })) : [persist]
    const hardened = parts.map((part) => this.#write((store) => store.write([part])))
    return () => {
      for (const harden of hardened) harden()
    }
  }

  writeCheckpoint(rows: readonly RowChange[]): () => void {
    return this.#write((store) => store.writeCheckpoint(rows))
  }

  writeEarly(rows: readonly EarlyRow[]): () => void {
    return this.#write((store) => store.writeEarly(rows))
  }

  dropLog(through: Zxid): () => void {
    return this.#write((store) => store.dropLog(through))
  }

  get(room: number, key: string, name: string): Uint8Array | undefined {
    return this.#live.get(room, key, name)
  }

  names(room: number, key: string): string[] {
    return this.#live.names(room, key)
  }

  page(after: RowKey | undefined, bytesMax: number): Row[] {
    return this.#live.page(after, bytesMax)
  }

  /** All that was written is safe now. */
  harden(): void {
    for (const write of this.#unsafe.splice(0)) write(this.#safe)
  }

  /** Answers what makes the write safe, and those before it. */
  #write(write: Write): () => void {
    write(this.#live)
    this.#unsafe.push(write)
    return () => {
      const count = this.#unsafe.indexOf(write) + 1
      for (const one of this.#unsafe.splice(0, count)) one(this.#safe)
    }
  }
}

function copyOf(disk: MemoryDisk): MemoryDisk {
  const copy = new MemoryDisk()
  copy.acceptedEpoch = disk.acceptedEpoch
  copy.currentEpoch = disk.currentEpoch
  copy.base = disk.base
  copy.mustRecover = disk.mustRecover
  copy.configuration = disk.configuration
  copy.log = [...disk.log]
  copy.rows = new Map(disk.rows)
  copy.early = new Map(disk.early)
  return copy
}
