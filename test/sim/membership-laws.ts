/**
 * Who the members are, as the reconfigurations say that were applied; and that nothing is decided without their quorum.
 * It looks at the members' disks: what a crash of everybody leaves is what counts.
 */
import { invariant } from '../../src/core/shared/assert.ts'
import type { Reconfiguration } from './model.ts'

export interface Roles {
  readonly voters: ReadonlySet<number>
  readonly observers: ReadonlySet<number>
}

export class MembershipLaws {
  #roles: Roles
  /** Reconfigurations that were applied. */
  changes = 0

  constructor(voters: Iterable<number>, observers: Iterable<number>) {
    this.#roles = { voters: new Set(voters), observers: new Set(observers) }
  }

  /** The newest that anybody applied. */
  get roles(): Roles {
    return this.#roles
  }

  /** Somebody is the first to apply a txn; `text` is what it made of /zookeeper/config. */
  decided(text: string | undefined, hasOnDisk: (sid: number) => boolean): void {
    const { voters } = this.#roles
    invariant(isQuorum(voters, hasOnDisk), 'Durable: what is applied, a quorum has on its disks')
    if (text === undefined) return
    const next = rolesOf(text)
    const isNewQuorum = isQuorum(next.voters, hasOnDisk)
    invariant(isNewQuorum, 'Reconfiguration: a quorum of the new members has it on its disks')
    this.#roles = next
    this.changes += 1
  }

  /** A leader begins its epoch: those who promised it, and took over its history, are a quorum of those who vote. */
  established(hasEntered: (sid: number) => boolean): void {
    const isElected = isQuorum(this.#roles.voters, hasEntered)
    invariant(isElected, 'Leadership4: a quorum of the members has entered the epoch of its leader')
  }

  /** A request changes the members as it says, and nobody else. */
  requested(before: Roles, { joining, leaving }: Reconfiguration): void {
    const [voters, observers] = [new Set(before.voters), new Set(before.observers)]
    for (const sid of [leaving, joining?.sid]) {
      if (sid === undefined) continue
      voters.delete(sid)
      observers.delete(sid)
    }
    if (joining !== undefined) (joining.votes ? voters : observers).add(joining.sid)
    const isAsAsked = isSame(voters, this.#roles.voters) && isSame(observers, this.#roles.observers)
    invariant(isAsAsked, 'Reconfiguration: the members are those that were asked for')
  }
}

function isQuorum(voters: ReadonlySet<number>, counts: (sid: number) => boolean): boolean {
  return [...voters].filter(counts).length * 2 > voters.size
}

function rolesOf(text: string): Roles {
  const [voters, observers] = [new Set<number>(), new Set<number>()]
  for (const [, sid, role] of text.matchAll(/^server\.(\d+)=[^;\n]*:(participant|observer)/gm)) {
    const members = role === 'observer' ? observers : voters
    members.add(Number(sid))
  }
  return { voters, observers }
}

const isSame = (some: ReadonlySet<number>, others: ReadonlySet<number>): boolean =>
  some.size === others.size && [...some].every((sid) => others.has(sid))
