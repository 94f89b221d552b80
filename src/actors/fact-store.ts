/** A member's single numbers, each with its checksum. All are written when the store is made: a missing one is damage. */
import { encode, long, record, ustring } from '../core/jute/codec.ts'
import { crc32 } from '../core/shared/crc32.ts'
import { sound } from '../core/shared/damage.ts'
import { reading } from './reading.ts'

const facts = [
  /** Which rows are the checkpoint. */
  'generation',
  /** Taken out of service by an operator. */
  'stopped',
  'acceptedEpoch',
  'currentEpoch',
  /** The zxid just before the first txn of the log, in two: SQLite is given numbers below 2^53 as they are, others not. */
  'baseEpoch',
  'baseCounter',
  /** Damage was found: everything is to be had anew. */
  'recovering',
] as const

export type Fact = (typeof facts)[number]

const Summed = record({ name: ustring, value: long })
const sumOf = (name: Fact, value: number): number => crc32(encode(Summed, { name, value }))

export class FactStore {
  readonly #sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.#sql = sql
  }

  create(): void {
    this.#sql.exec(
      'create table fact (name text primary key, value integer, sum integer) without rowid',
    )
    for (const name of facts) this.set(name, 0)
  }

  /** Throws Damage. */
  get(name: Fact): number {
    const found = reading(`the fact ${name}`, () =>
      this.#sql
        .exec<{ value: number; sum: number }>('select value, sum from fact where name = ?', name)
        .toArray(),
    )[0]
    sound(found !== undefined, `the fact ${name} is missing`)
    sound(sumOf(name, found.value) === found.sum, `the fact ${name} has the wrong checksum`)
    return found.value
  }

  set(name: Fact, value: number): void {
    this.#sql.exec('insert or replace into fact values (?, ?, ?)', name, value, sumOf(name, value))
  }
}
