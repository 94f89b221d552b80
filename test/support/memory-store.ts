/**
 * A member's disk in memory: what member-store.ts keeps in SQLite. Every write is durable at once; a crash is a new
 * store upon the same disk.
 */
import { invariant } from '../../src/core/shared/assert.ts'
import { asEpoch, asZxid, type Epoch, type Zxid } from '../../src/core/shared/units.ts'
import {
  type EarlyRow,
  inOrder,
  type Row,
  type RowChange,
  type RowKey,
  type RowTable,
} from '../../src/core/tree/row-table.ts'
import { rowsOfChunk } from '../../src/core/tree/snapshot.ts'
import type { Persist } from '../../src/core/turn.ts'
import {
  type LogBatch,
  readBatch,
  sliceBatch,
  storedConfiguration,
} from '../../src/core/zab/log-batch.ts'
import type { RestoredLog } from '../../src/core/zab/member.ts'

/** What survives a crash. */
export class MemoryDisk {
  acceptedEpoch: Epoch = asEpoch(0)
  currentEpoch: Epoch = asEpoch(0)
  base: Zxid = asZxid(0)
  mustRecover = false
  log: Uint8Array[] = []
  rows = new Map<string, Row>()
  /** Rows of the next checkpoint. */
  early = new Map<string, RowChange>()
  configuration: string | undefined
}

export class MemoryStore implements RowTable {
  readonly #disk: MemoryDisk
  #stage: Map<string, Row> | undefined
  /** Keys of the rows in order, while nothing changed since they were sorted. */
  #sorted: readonly Row[] | undefined

  constructor(disk = new MemoryDisk()) {
    this.#disk = disk
    disk.early = new Map()
  }

  restore(committed: Zxid): RestoredLog {
    const { acceptedEpoch, currentEpoch, base, mustRecover, configuration: text } = this.#disk
    const configuration = text === undefined ? undefined : storedConfiguration(text)
    const batches = this.#disk.log.map(readBatch)
    return { acceptedEpoch, currentEpoch, base, batches, committed, mustRecover, configuration }
  }

  write(persists: readonly Persist[]): void {
    for (const persist of persists) this.#writeOne(persist)
  }

  async durable(): Promise<void> {}

  writeCheckpoint(rows: readonly RowChange[]): void {
    this.#sorted = undefined
    for (const row of [...this.#disk.early.values(), ...rows]) writeRow(this.#disk.rows, row)
    this.#disk.early = new Map()
  }

  writeEarly(rows: readonly EarlyRow[]): void {
    for (const { isNew, ...row } of rows) {
      const identity = identityOf(row)
      const before = this.#disk.rows.get(identity)
      invariant(isNew === (before === undefined), 'who writes early knows what the checkpoint has')
      this.#disk.early.set(identity, row)
    }
  }

  dropLog(through: Zxid): void {
    const { log } = this.#disk
    const kept = log.findIndex((bytes) => readBatch(bytes).last > through)
    const last = log.splice(0, kept < 0 ? log.length : kept).at(-1)
    if (last !== undefined) this.#disk.base = readBatch(last).last
  }

  get(room: number, key: string, name: string): Uint8Array | undefined {
    return this.#disk.rows.get(identityOf({ room, key, name }))?.value
  }

  names(room: number, key: string): string[] {
    return this.#inOrder()
      .filter((row) => row.room === room && row.key === key)
      .map(({ name }) => name)
  }

  page(after: RowKey | undefined, bytesMax: number): Row[] {
    const rows: Row[] = []
    let bytes = 0
    for (const row of this.#inOrder()) {
      if (after !== undefined && inOrder(row, after) <= 0) continue
      rows.push(row)
      bytes += row.value.length + row.key.length + row.name.length
      if (bytes >= bytesMax) break
    }
    return rows
  }

  #inOrder(): readonly Row[] {
    return (this.#sorted ??= [...this.#disk.rows.values()].toSorted(inOrder))
  }

  #writeOne(persist: Persist): void {
    const disk = this.#disk
    if (persist.acceptedEpoch !== undefined) disk.acceptedEpoch = persist.acceptedEpoch
    if (persist.stageBegin !== undefined) this.#stage = new Map()
    if (persist.stageChunk !== undefined) {
      invariant(this.#stage !== undefined, 'a chunk belongs to a stage that was begun')
      for (const row of rowsOfChunk(persist.stageChunk)) writeRow(this.#stage, row)
    }
    if (persist.recovered === true) disk.mustRecover = false
    if (persist.install !== undefined) this.#install(persist.install)
    if (persist.truncate !== undefined) this.#truncate(persist.truncate)
    for (const batch of persist.append ?? []) this.#append(batch)
    if (persist.currentEpoch !== undefined) disk.currentEpoch = persist.currentEpoch
    if (persist.configuration !== undefined) disk.configuration = persist.configuration.text
  }

  #append(batch: LogBatch): void {
    const last = this.#disk.log.at(-1)
    invariant(last === undefined || batch.first > readBatch(last).last, 'the log only grows')
    this.#disk.log.push(batch.bytes.slice())
  }

  #truncate(to: Zxid): void {
    this.#disk.log = this.#disk.log.flatMap(
      (bytes) => sliceBatch(readBatch(bytes), asZxid(0), to)?.bytes ?? [],
    )
  }

  #install(zxid: Zxid): void {
    invariant(this.#stage !== undefined, 'a snapshot is staged before it is installed')
    this.#sorted = undefined
    this.#disk.rows = this.#stage
    this.#disk.early = new Map()
    this.#disk.log = []
    this.#disk.base = zxid
    this.#stage = undefined
  }
}

const identityOf = ({ room, key, name }: RowKey): string => `${room}\0${key}\0${name}`

function writeRow(rows: Map<string, Row>, { room, key, name, value }: RowChange): void {
  const identity = identityOf({ room, key, name })
  if (value === null) rows.delete(identity)
  else rows.set(identity, { room, key, name, value: value.slice() })
}
