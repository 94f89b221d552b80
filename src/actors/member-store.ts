/**
 * A member's disk: txn log, checkpoint, epochs. The SQL of the member is here and in the stores it is made of.
 *
 * The checkpoint is a table of rows by generation: a snapshot is staged under the next generation and takes over in one
 * transaction, so a crash leaves the old tree or the new one. Everything has its checksum; what does not match throws
 * Damage, and `beginRecovery` then puts it aside until a leader gave it all anew.
 */
import { bytesOf, textOf } from '../core/jute/codec.ts'
import { invariant } from '../core/shared/assert.ts'
import { Damage } from '../core/shared/damage.ts'
import { seal, unseal } from '../core/shared/seal.ts'
import { asEpoch, asSid, asZxid, type Sid, type Zxid } from '../core/shared/units.ts'
import type { EarlyRow, Row, RowChange, RowKey, RowTable } from '../core/tree/row-table.ts'
import { rowsOfChunk } from '../core/tree/snapshot.ts'
import type { Persist } from '../core/turn.ts'
import type { Configuration } from '../core/zab/configuration.ts'
import { type LogBatch, storedConfiguration } from '../core/zab/log-batch.ts'
import type { RestoredLog } from '../core/zab/member.ts'
import { EarlyRows, isEarlyKey } from './early-rows.ts'
import { FactStore } from './fact-store.ts'
import { LogStore } from './log-store.ts'
import { RowStore } from './row-store.ts'

/** What an operator is told of the damage found last. */
export interface DamageNote {
  readonly why: string
  readonly atMs: number
  /** How often any was found in this store. */
  readonly count: number
}

/**
 * What this version writes. Another number is refused: nothing is guessed about what others wrote. The one before is the same
 * without early rows and large batches of the log, which whoever writes it would take for damage.
 */
const format = 2
const formatBefore = 1
const formatKey = 'format'
const damageKey = 'damage'
const sidKey = 'sid'
const configurationKey = 'configuration'
const otherKeys: ReadonlySet<string> = new Set([formatKey, damageKey, sidKey, configurationKey])
/** Does it stand beside the log? */
const isOther = (key: string): boolean => otherKeys.has(key) || isEarlyKey(key)

export class MemberStore implements RowTable {
  readonly #storage: DurableObjectStorage
  readonly #sql: SqlStorage
  readonly #facts: FactStore
  readonly #rows: RowStore
  readonly #early: EarlyRows
  readonly #log: LogStore
  #generation = 0
  #stopped = false
  #isRecovering = false
  #refusal: string | undefined
  #stagedGeneration: number | undefined
  /** There may be rows of other trees: of one that was replaced, or of a stage that was not installed. */
  #isUntidy = false

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
    this.#sql = storage.sql
    this.#facts = new FactStore(this.#sql)
    this.#rows = new RowStore(this.#sql)
    this.#early = new EarlyRows(storage, this.#rows)
    this.#log = new LogStore(storage, this.#facts, isOther)
    this.#refusal = this.#open()
  }

  /** Why this store is of no use until an operator decides; undefined if it is of use. */
  get refusal(): string | undefined {
    return this.#refusal
  }

  /** The damage found last, whether it is mended or not. */
  get damage(): DamageNote | undefined {
    return this.#storage.kv.get<DamageNote>(damageKey)
  }

  /** Is everything to be had anew, before this member may vote? */
  get isRecovering(): boolean {
    return this.#isRecovering
  }

  /** The member's number, as its first life was told it: one that moved in a cluster may come up without its name. */
  sid(told: Sid | undefined): Sid | undefined {
    const kept = this.#storage.kv.get<number>(sidKey)
    if (kept === undefined && told !== undefined) this.#storage.kv.put(sidKey, told)
    return told ?? (kept === undefined ? undefined : asSid(kept))
  }

  /** Was this member taken out of service? It stays out over restarts. */
  get isStopped(): boolean {
    return this.#stopped
  }

  set isStopped(stopped: boolean) {
    this.#stopped = stopped
    this.#facts.set('stopped', stopped ? 1 : 0)
  }

  /** Everything a waking member needs of its log. Throws Damage. */
  restore(committed: Zxid): RestoredLog {
    const acceptedEpoch = asEpoch(this.#facts.get('acceptedEpoch'))
    if (this.#isRecovering) {
      const [currentEpoch, base] = [asEpoch(0), asZxid(0)]
      const configuration = this.#configurationIfSound()
      const none = { currentEpoch, base, batches: [] }
      return { acceptedEpoch, ...none, committed, mustRecover: true, configuration }
    }
    const { base, batches } = this.#log.read()
    const currentEpoch = asEpoch(this.#facts.get('currentEpoch'))
    const configuration = this.#configuration()
    return {
      acceptedEpoch,
      currentEpoch,
      base,
      batches,
      committed,
      mustRecover: false,
      configuration,
    }
  }

  /** Writes what a turn must persist. Safe once `durable` resolves, not before; gated, nothing leaves the actor before that. */
  write(persists: readonly Persist[], isGated = false): void {
    for (const persist of persists) {
      if (isAppendOnly(persist)) {
        for (const batch of persist.append) {
          if (isGated) this.#log.appendGated(batch)
          else this.#log.append(batch)
        }
      } else this.#storage.transactionSync(() => this.#writeAll(persist))
    }
  }

  /** Resolves when everything written before is on disk. */
  durable(): Promise<void> {
    return this.#storage.sync()
  }

  /** Brings the checkpoint up to date in one transaction; rows that were written early belong to it now. */
  writeCheckpoint(rows: readonly RowChange[]): void {
    this.#storage.transactionSync(() => {
      this.#rows.writeAll(this.#generation, rows)
      this.#early.finish(this.#generation)
    })
  }

  /** Writes rows of the next checkpoint. Whoever reads before that is written finds none of them. */
  writeEarly(rows: readonly EarlyRow[]): void {
    if (rows.length === 0) return
    this.#storage.transactionSync(() => this.#early.write(this.#generation, rows))
  }

  /** Drops some of the batches that end at or before `through`, the oldest first. Are there more? */
  dropLog(through: Zxid): boolean {
    return this.#log.dropThrough(through)
  }

  /** Is there what is of no use to anybody? What damage put aside an operator may still look at. */
  get isUntidy(): boolean {
    return this.#isUntidy && !this.#isRecovering
  }

  /** Drops some of that. Is there more? */
  tidy(): boolean {
    if (!this.isUntidy) return false
    const [other] = this.#rows
      .generations()
      .filter((one) => one !== this.#generation && one !== this.#stagedGeneration)
    if (other === undefined) this.#isUntidy = false
    else this.#rows.dropSome(other)
    return this.#isUntidy
  }

  get(room: number, key: string, name: string): Uint8Array | undefined {
    return this.#early.get(this.#generation, { room, key, name })
  }

  names(room: number, key: string): string[] {
    return this.#early.names(this.#generation, room, key)
  }

  page(after: RowKey | undefined, bytesMax: number): Row[] {
    return this.#early.page(this.#generation, after, bytesMax)
  }

  /** Bytes on disk. */
  get size(): number {
    return this.#sql.databaseSize
  }

  /** Remembers that something here is not what was written. */
  noteDamage(why: string, atMs: number): void {
    const count = (this.damage?.count ?? 0) + 1
    this.#storage.kv.put(damageKey, { why, atMs, count } satisfies DamageNote)
  }

  /**
   * Puts log and tree aside: to this member they are gone, an operator may still look at them until a leader's take
   * their place. What was promised stays promised.
   */
  beginRecovery(): void {
    this.#storage.transactionSync(() => {
      this.#early.forget()
      this.#generation = this.#rows.freshGeneration()
      this.#facts.set('generation', this.#generation)
      this.#isRecovering = true
      this.#facts.set('recovering', 1)
    })
  }

  /** Forgets everything, promises too. The caller must end this life. */
  beginAnew(): void {
    this.#storage.transactionSync(() => {
      const note = this.damage
      const sid = this.sid(undefined)
      // Whom to look for is nothing the member ever acknowledged: who begins anew must not go by the settings.
      const configuration = this.#configurationIfSound()
      for (const [key] of this.#storage.kv.list()) this.#storage.kv.delete(key)
      this.#sql.exec('drop table if exists row')
      this.#sql.exec('drop table if exists fact')
      this.#sql.exec('drop table if exists batch')
      this.#create()
      if (note !== undefined) this.#storage.kv.put(damageKey, note)
      if (sid !== undefined) this.#storage.kv.put(sidKey, sid)
      if (configuration !== undefined) this.#putConfiguration(configuration)
    })
  }

  /** Makes a new store, or reads what must be known of one; answers why it cannot be used. */
  #open(): string | undefined {
    const written = this.#storage.kv.get<number>(formatKey)
    if (written === undefined && !this.#hasTables()) {
      this.#storage.transactionSync(() => this.#create())
      return undefined
    }
    if (written === formatBefore) this.#upgrade()
    else if (written !== format) {
      const shown = written === undefined ? 'without a number' : String(written)
      return `the store’s format is ${shown}, this version reads ${format}: run the version that wrote it, or rebuild`
    }
    try {
      this.#facts.get('acceptedEpoch')
    } catch (fault) {
      if (!(fault instanceof Damage)) throw fault
      return `${fault.message}: what this member promised is not known, so it must promise nothing`
    }
    this.#readState()
    return undefined
  }

  #create(): void {
    this.#facts.create()
    this.#rows.create()
    this.#log.create()
    this.#storage.kv.put(formatKey, format)
  }

  #upgrade(): void {
    this.#storage.transactionSync(() => {
      this.#log.create()
      this.#storage.kv.put(formatKey, format)
    })
  }

  #hasTables(): boolean {
    const tables = "select name from sqlite_master where type = 'table' and name in ('row', 'fact')"
    return this.#sql.exec(tables).toArray().length > 0
  }

  /** What the other facts say; damaged ones are found by `restore`. */
  #readState(): void {
    try {
      this.#generation = this.#facts.get('generation')
      this.#stopped = this.#facts.get('stopped') === 1
      this.#isRecovering = this.#facts.get('recovering') === 1
      this.#early.open()
    } catch (fault) {
      if (!(fault instanceof Damage)) throw fault
      this.noteDamage(fault.message, Date.now())
      this.#facts.set('stopped', 0)
      return this.beginRecovery()
    }
    this.#isUntidy = true
  }

  #writeAll(persist: Persist): void {
    if (persist.acceptedEpoch !== undefined) this.#facts.set('acceptedEpoch', persist.acceptedEpoch)
    if (persist.stageBegin !== undefined) this.#beginStage()
    if (persist.stageChunk !== undefined) this.#stage(persist.stageChunk)
    if (persist.recovered === true) this.#endRecovery()
    if (persist.install !== undefined) this.#install(persist.install)
    if (persist.truncate !== undefined) this.#log.truncate(persist.truncate)
    for (const batch of persist.append ?? []) this.#log.appendGated(batch)
    if (persist.currentEpoch !== undefined) this.#facts.set('currentEpoch', persist.currentEpoch)
    if (persist.configuration !== undefined) {
      this.#putConfiguration(persist.configuration)
    }
  }

  #beginStage(): void {
    this.#stagedGeneration = Math.max(this.#generation + 1, this.#rows.freshGeneration())
    this.#isUntidy = true
  }

  #stage(chunk: Uint8Array): void {
    const generation = this.#stagedGeneration
    invariant(generation !== undefined, 'a chunk belongs to a stage that was begun')
    for (const row of rowsOfChunk(chunk)) this.#rows.write(generation, row)
  }

  #install(zxid: Zxid): void {
    const generation = this.#stagedGeneration
    invariant(generation !== undefined, 'a snapshot is staged before it is installed')
    this.#early.forget()
    this.#log.beginAt(zxid)
    this.#generation = generation
    this.#stagedGeneration = undefined
    this.#isUntidy = true
    this.#facts.set('generation', generation)
  }

  /** A leader gave everything anew: what was put aside goes. */
  #endRecovery(): void {
    this.#isUntidy = true
    this.#log.beginAt(asZxid(0))
    this.#isRecovering = false
    this.#facts.set('recovering', 0)
  }

  #putConfiguration({ text }: Configuration): void {
    this.#storage.kv.put(configurationKey, seal(bytesOf(text)))
  }

  /** Who must recover asks those that it knows of; at worst those of the settings. */
  #configurationIfSound(): Configuration | undefined {
    try {
      return this.#configuration()
    } catch (fault) {
      if (!(fault instanceof Damage)) throw fault
      return undefined
    }
  }

  #configuration(): Configuration | undefined {
    const sealed = this.#storage.kv.get<Uint8Array>(configurationKey)
    if (sealed === undefined) return undefined
    return storedConfiguration(textOf(unseal(new Uint8Array(sealed), 'the configuration')))
  }
}

function isAppendOnly(
  persist: Persist,
): persist is Persist & { readonly append: readonly LogBatch[] } {
  const { append, number: _, ...others } = persist
  return append !== undefined && Object.keys(others).length === 0
}
