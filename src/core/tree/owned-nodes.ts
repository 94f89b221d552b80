/** Paths by who or what ends them: a session, the emptiness of a container, a time to live. Rows of the checkpoint too. */
import { invariant } from '../shared/assert.ts'
import { TransitMap } from '../shared/transit-map.ts'
import type { SessionId } from '../shared/units.ts'
import { containerOwner, isSessionOwner } from './owner.ts'
import { ChangedRows } from './changed-rows.ts'
import { rooms, type RowTable } from './row-table.ts'

const emptyRow = new Uint8Array(0)
const noPaths: ReadonlySet<string> = new Set()
const containerKey = 'container'
const ttlKey = 'ttl'

export class OwnedNodes {
  readonly #paths = new TransitMap<string, Set<string>>()
  readonly #changes = new ChangedRows()
  #ephemeralCount = 0

  get ephemeralCount(): number {
    return this.#ephemeralCount
  }

  get containers(): ReadonlySet<string> {
    return this.#paths.get(containerKey) ?? noPaths
  }

  get withTtl(): ReadonlySet<string> {
    return this.#paths.get(ttlKey) ?? noPaths
  }

  ofSession(session: SessionId): ReadonlySet<string> {
    return this.#paths.get(hexOf(session)) ?? noPaths
  }

  /** A node was created; one without an owner is nobody's. */
  add(owner: bigint, path: string): void {
    if (owner === 0n) return
    const key = keyOf(owner)
    const paths = this.#paths.get(key)
    if (paths === undefined) this.#paths.set(key, new Set([path]))
    else paths.add(path)
    if (isSessionOwner(owner)) this.#ephemeralCount += 1
    this.#changes.add({ room: rooms.ephemeral, key, name: path, value: emptyRow })
  }

  remove(owner: bigint, path: string): void {
    if (owner === 0n) return
    const key = keyOf(owner)
    const paths = this.#paths.get(key)
    invariant(paths?.delete(path) === true, 'an owned node is known to its owner')
    if (paths.size === 0) this.#paths.delete(key)
    if (isSessionOwner(owner)) this.#ephemeralCount -= 1
    this.#changes.remove({ room: rooms.ephemeral, key, name: path })
  }

  load(table: RowTable, sessions: Iterable<SessionId>): void {
    for (const session of sessions) this.#ephemeralCount += this.#loadKey(table, hexOf(session))
    this.#loadKey(table, containerKey)
    this.#loadKey(table, ttlKey)
  }

  /** Since the checkpoint. */
  get changes(): ChangedRows {
    return this.#changes
  }

  #loadKey(table: RowTable, key: string): number {
    const paths = table.names(rooms.ephemeral, key)
    if (paths.length > 0) this.#paths.set(key, new Set(paths))
    return paths.length
  }
}

function keyOf(owner: bigint): string {
  if (isSessionOwner(owner)) return hexOf(owner as SessionId)
  return owner === containerOwner ? containerKey : ttlKey
}

export const hexOf = (session: SessionId): string =>
  BigInt.asUintN(64, session).toString(16).padStart(16, '0')
