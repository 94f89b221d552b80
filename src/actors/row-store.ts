/** The checkpoint's rows by generation, each with its checksums, which are checked wherever a row is read. */
import { sound } from '../core/shared/damage.ts'
import { limits } from '../core/shared/limits.ts'
import { placeSum, rowSum } from '../core/tree/row-sum.ts'
import { inOrder, type Row, type RowChange, type RowKey } from '../core/tree/row-table.ts'
import { reading } from './reading.ts'

type Sums = { readonly place: number; readonly sum: number }
type Found = { room: number; key: string; name: string; value: ArrayBuffer } & Sums

export class RowStore {
  readonly #sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.#sql = sql
  }

  create(): void {
    this.#sql.exec(`create table row (
      generation integer, room integer, key text, name text, value blob, place integer, sum integer,
      primary key (generation, room, key, name)) without rowid`)
  }

  /** Throws Damage, as all that reads. */
  get(generation: number, place: RowKey): Uint8Array | undefined {
    const { room, key, name } = place
    const found = reading(showPlace(place), () =>
      this.#sql
        .exec<{ value: ArrayBuffer } & Sums>(
          'select value, place, sum from row where generation = ? and room = ? and key = ? and name = ?',
          generation,
          room,
          key,
          name,
        )
        .toArray(),
    )[0]
    return found === undefined ? undefined : checkedValue(place, found)
  }

  names(generation: number, room: number, key: string): string[] {
    return reading(`the names under ${room} ${key}`, () => {
      const found = this.#sql.exec<{ name: string; place: number }>(
        'select name, place from row where generation = ? and room = ? and key = ?',
        generation,
        room,
        key,
      )
      return Array.from(found, ({ name, place }) => {
        checkPlace({ room, key, name }, place)
        return name
      })
    })
  }

  page(generation: number, after: RowKey | undefined, bytesMax: number): Row[] {
    return reading('a page of rows', () => {
      const found = this.#sql.exec<Found>(
        `select room, key, name, value, place, sum from row
         where generation = ? and (room, key, name) > (?, ?, ?) order by room, key, name`,
        generation,
        after?.room ?? -1,
        after?.key ?? '',
        after?.name ?? '',
      )
      const rows: Row[] = []
      let bytes = 0
      for (const row of found) {
        const { room, key, name } = row
        rows.push({ room, key, name, value: checkedValue(row, row) })
        bytes += row.value.byteLength + key.length + name.length
        if (bytes >= bytesMax) break
      }
      return rows
    })
  }

  /** In the order of their places: rows that follow each other share pages. */
  writeAll(generation: number, rows: readonly RowChange[]): void {
    for (const row of rows.toSorted(inOrder)) this.write(generation, row)
  }

  write(generation: number, { room, key, name, value }: RowChange): void {
    if (value === null) {
      this.#sql.exec(
        'delete from row where generation = ? and room = ? and key = ? and name = ?',
        generation,
        room,
        key,
        name,
      )
      return
    }
    const place = placeSum({ room, key, name })
    this.#sql.exec(
      'insert or replace into row values (?, ?, ?, ?, ?, ?, ?)',
      generation,
      room,
      key,
      name,
      value,
      place,
      rowSum(place, value),
    )
  }

  /** Those that have rows, in order. */
  generations(): number[] {
    const found: number[] = []
    const next = 'select min(generation) next from row where generation > ?'
    for (let after = -1; ;) {
      const [row] = this.#sql.exec<{ next: number | null }>(next, after)
      if (row === undefined || row.next === null) return found
      found.push(row.next)
      after = row.next
    }
  }

  /** Drops some rows of a generation that is nobody's. */
  dropSome(generation: number): void {
    const [end] = this.#sql.exec<{ room: number; key: string; name: string }>(
      'select room, key, name from row where generation = ? order by room, key, name limit 1 offset ?',
      generation,
      limits.rowsDroppedAtOnce,
    )
    if (end === undefined) this.#sql.exec('delete from row where generation = ?', generation)
    else {
      this.#sql.exec(
        'delete from row where generation = ? and (room, key, name) < (?, ?, ?)',
        generation,
        end.room,
        end.key,
        end.name,
      )
    }
  }

  /** One that no row has. */
  freshGeneration(): number {
    const [found] = this.#sql.exec<{ last: number | null }>('select max(generation) last from row')
    return (found?.last ?? 0) + 1
  }
}

function checkedValue(place: RowKey, found: { readonly value: ArrayBuffer } & Sums): Uint8Array {
  const value = new Uint8Array(found.value)
  checkPlace(place, found.place)
  sound(rowSum(found.place, value) === found.sum, `${showPlace(place)} has the wrong checksum`)
  return value
}

function checkPlace(place: RowKey, written: number): void {
  sound(placeSum(place) === written, `${showPlace(place)} is not where it was written`)
}

const showPlace = ({ room, key, name }: RowKey): string =>
  `the row ${room} ${JSON.stringify(key)} ${JSON.stringify(name)}`
