/**
 * When a member writes: its log in order, what nobody waits for together with what comes next, and never more in one
 * transaction than SQLite has room for (docs/decisions/0017).
 */
import { limits } from '../core/shared/limits.ts'
import type { Persist } from '../core/turn.ts'
import type { MemberStore } from './member-store.ts'

export interface WriterOwner {
  /** Every persist up to this number is durable. */
  persisted(number: number): void
  /** Acts; a write that fails ends the member's life. */
  orEnd(act: () => void): void
}

export interface WriterDisk {
  /** Does a cluster copy what is written? Then a transaction goes on until the one before is copied. */
  readonly isCopied: boolean
  /** Does its flush hold up whoever would answer meanwhile? Then what is said is held back until it is over (docs/decisions/0020). */
  readonly isShared: boolean
}

export class MemberWriter {
  readonly #ctx: DurableObjectState
  readonly #store: MemberStore
  readonly #disk: WriterDisk
  readonly #owner: WriterOwner
  readonly #unwritten: Persist[] = []
  /** Persists that nobody waits for: a few of them cost one flush of the disk. */
  #late: ReturnType<typeof setTimeout> | undefined
  /** More than a transaction's worth was to be written: the rest follows when that is durable. */
  #isCut = false
  /** Bytes written in all, about, and how many of them are in transactions that are over. */
  #writtenBytes = 0
  #settledBytes = 0
  #inFlight = 0
  #isOver = false

  constructor(ctx: DurableObjectState, store: MemberStore, disk: WriterDisk, owner: WriterOwner) {
    this.#ctx = ctx
    this.#store = store
    this.#disk = disk
    this.#owner = owner
  }

  /** Is a persist on its way to the disk? */
  get isBusy(): boolean {
    return this.#inFlight > 0
  }

  /** Is all of the log written that is to be? */
  get isDone(): boolean {
    return this.#unwritten.length === 0
  }

  /** Have rows of the checkpoint room in the open transaction? */
  get hasRoomForRows(): boolean {
    return this.#openBytes <= limits.logBesideRowsBytes
  }

  /** Does nothing that this actor says leave before what is written is durable? */
  get isGated(): boolean {
    return this.#disk.isShared && !this.#disk.isCopied
  }

  /** To be called when a turn begins: what was written before it is another transaction's, unless it is copied. */
  beginTurn(): void {
    if (!this.#disk.isCopied) this.#settledBytes = this.#writtenBytes
  }

  /** To be written soon, with what comes meanwhile: nobody waits for it. */
  addLate(persists: readonly Persist[]): void {
    this.#unwritten.push(...persists)
    this.#late ??= setTimeout(() => this.#owner.orEnd(() => this.flush()), limits.lateWriteMs)
  }

  /**
   * Written now. Where the gate is shut meanwhile, the answer is the number of the last persist that is as good as durable;
   * undefined: `persisted` will tell.
   */
  add(persists: readonly Persist[]): number | undefined {
    this.#unwritten.push(...persists)
    return this.#write(this.isGated)
  }

  /** Writes what is unwritten. */
  flush(): void {
    this.#write(false)
  }

  /** In order, a transaction's worth at a time. */
  #write(isGated: boolean): number | undefined {
    clearTimeout(this.#late)
    this.#late = undefined
    // The rest of what was cut is written once there is room.
    if (this.#isCut) return undefined
    const persists = this.#takeTransaction()
    // Whatever else comes meanwhile is in no hurry, or is written at its own time.
    this.#isCut = this.#unwritten.length > 0
    const number = persists.at(-1)?.number
    if (number === undefined || this.#isOver) return undefined
    this.#store.write(persists, isGated)
    const bytes = bytesOf(persists)
    if (isGated && !this.#isCut) {
      this.#writtenBytes += bytes
      return number
    }
    this.#inFlight += 1
    this.#wrote(bytes, () => {
      this.#inFlight -= 1
      this.#owner.persisted(number)
    })
    return undefined
  }

  /** A turn's worth of rows was written, or dropped. */
  wroteRows(): void {
    if (this.#disk.isCopied) this.#wrote(limits.transactionBytesMax)
  }

  /** Resolves when all that was written is durable, also where nothing else is heard meanwhile. */
  async settled(): Promise<void> {
    const mark = this.#writtenBytes
    await this.#store.durable()
    this.#settledBytes = Math.max(this.#settledBytes, mark)
  }

  /** Nothing more is written. */
  end(): void {
    this.#isOver = true
  }

  /** Takes note of about so many bytes that were written; `isDurable` is called when they are. */
  #wrote(bytes: number, isDurable?: () => void): void {
    this.#writtenBytes += bytes
    this.#ctx.waitUntil(
      this.settled().then(() => {
        isDurable?.()
        if (!this.#isCut) return
        this.#isCut = false
        this.#owner.orEnd(() => this.flush())
      }),
    )
  }

  /** The next of what is unwritten, as much as the open transaction has room for. */
  #takeTransaction(): readonly Persist[] {
    let [count, bytes] = [0, this.#openBytes]
    for (const persist of this.#unwritten) {
      const more = bytesOf([persist])
      if (bytes > 0 && bytes + more > limits.transactionBytesMax) break
      count += 1
      bytes += more
    }
    return this.#unwritten.splice(0, count)
  }

  /** Bytes in a transaction that is not over. */
  get #openBytes(): number {
    return this.#writtenBytes - this.#settledBytes
  }
}

/** Of log and of staged snapshots. */
function bytesOf(persists: readonly Persist[]): number {
  let bytes = 0
  for (const { append = [], stageChunk } of persists) {
    for (const batch of append) bytes += batch.bytes.length
    bytes += stageChunk?.length ?? 0
  }
  return bytes
}
