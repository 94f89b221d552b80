/** The sessions there are, with their timeouts, and their rows of the checkpoint. */
import { decode, encode, int, record } from '../jute/codec.ts'
import { invariant } from '../shared/assert.ts'
import { asSessionId, type SessionId } from '../shared/units.ts'
import { hexOf } from './owned-nodes.ts'
import { type RowChange, rooms, type RowTable } from './row-table.ts'

const SessionRow = record({ timeoutMs: int })

export class SessionTable {
  readonly #timeouts = new Map<SessionId, number>()
  /** Rows of sessions that changed since the checkpoint. */
  #changes = new Map<SessionId, RowChange>()

  /** ms, by session. */
  get timeouts(): ReadonlyMap<SessionId, number> {
    return this.#timeouts
  }

  open(session: SessionId, timeoutMs: number): void {
    this.#timeouts.set(session, timeoutMs)
    this.#note(session, encode(SessionRow, { timeoutMs }))
  }

  close(session: SessionId): void {
    this.#timeouts.delete(session)
    this.#note(session, null)
  }

  load(table: RowTable): void {
    for (const name of table.names(rooms.session, '')) {
      const row = table.get(rooms.session, '', name)
      invariant(row !== undefined, 'a listed session has a row')
      this.#timeouts.set(sessionOfHex(name), decode(SessionRow, row).timeoutMs)
    }
  }

  changedRows(): RowChange[] {
    return [...this.#changes.values()]
  }

  checkpointed(): void {
    this.#changes = new Map()
  }

  #note(session: SessionId, value: Uint8Array | null): void {
    this.#changes.set(session, { room: rooms.session, key: '', name: hexOf(session), value })
  }
}

const sessionOfHex = (hex: string): SessionId => asSessionId(BigInt.asIntN(64, BigInt(`0x${hex}`)))
