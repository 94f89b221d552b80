/** The sessions there are, with their timeouts, and their rows of the checkpoint. */
import { decode, encode, int, record } from '../jute/codec.ts'
import { invariant } from '../shared/assert.ts'
import { asSessionId, type SessionId } from '../shared/units.ts'
import { hexOf } from './owned-nodes.ts'
import { ChangedRows } from './changed-rows.ts'
import { type RowKey, rooms, type RowTable } from './row-table.ts'

const SessionRow = record({ timeoutMs: int })

export class SessionTable {
  readonly #timeouts = new Map<SessionId, number>()
  readonly #changes = new ChangedRows()
  /** The last row written: thousands of sessions have one timeout, and thousands of small arrays weigh more than the sessions. */
  #row: { readonly timeoutMs: number; readonly value: Uint8Array } | undefined

  /** ms, by session. */
  get timeouts(): ReadonlyMap<SessionId, number> {
    return this.#timeouts
  }

  open(session: SessionId, timeoutMs: number): void {
    // One that is open already has its row, or is to have it.
    if (this.#timeouts.has(session)) this.#changes.remove(rowKeyOf(session))
    this.#timeouts.set(session, timeoutMs)
    this.#changes.add({ ...rowKeyOf(session), value: this.#rowOf(timeoutMs) })
  }

  close(session: SessionId): void {
    this.#timeouts.delete(session)
    this.#changes.remove(rowKeyOf(session))
  }

  load(table: RowTable): void {
    for (const name of table.names(rooms.session, '')) {
      const row = table.get(rooms.session, '', name)
      invariant(row !== undefined, 'a listed session has a row')
      this.#timeouts.set(sessionOfHex(name), decode(SessionRow, row).timeoutMs)
    }
  }

  /** Since the checkpoint. */
  get changes(): ChangedRows {
    return this.#changes
  }

  #rowOf(timeoutMs: number): Uint8Array {
    if (this.#row?.timeoutMs !== timeoutMs) {
      this.#row = { timeoutMs, value: encode(SessionRow, { timeoutMs }) }
    }
    return this.#row.value
  }
}

const rowKeyOf = (session: SessionId): RowKey => ({
  room: rooms.session,
  key: '',
  name: hexOf(session),
})

const sessionOfHex = (hex: string): SessionId => asSessionId(BigInt.asIntN(64, BigInt(`0x${hex}`)))
