import type { Sid, Zxid } from '../shared/units.ts'

/** Which sets of voters may decide. Any two of them share a member. */
export interface QuorumVerifier {
  readonly voters: readonly Sid[]
  /** Whether these hold a quorum; who is no voter does not count. */
  isQuorum(sids: Iterable<Sid>): boolean
}

/** More than half of the voters. */
export class Majority implements QuorumVerifier {
  readonly voters: readonly Sid[]

  constructor(voters: readonly Sid[]) {
    this.voters = voters
  }

  isQuorum(sids: Iterable<Sid>): boolean {
    let votes = 0
    for (const sid of new Set(sids)) if (this.voters.includes(sid)) votes += 1
    return votes * 2 > this.voters.length
  }
}

/**
 * More than half of the groups, each by more than half of its weight (QuorumHierarchical). A group without weight is none.
 * Half of a whole number is Java's, rounded down: of whole weights that is the same as more than half.
 */
export class Hierarchy implements QuorumVerifier {
  readonly voters: readonly Sid[]
  readonly #groups: ReadonlyMap<Sid, number>
  readonly #weights: ReadonlyMap<Sid, number>
  /** What each group weighs. */
  readonly #totals = new Map<number, number>()
  readonly #groupCount: number

  constructor(
    voters: readonly Sid[],
    { groups, weights }: { groups: ReadonlyMap<Sid, number>; weights: ReadonlyMap<Sid, number> },
  ) {
    this.voters = voters
    this.#groups = groups
    this.#weights = weights
    for (const sid of groups.keys()) this.#weigh(this.#totals, sid)
    this.#groupCount = [...this.#totals.values()].filter((total) => total > 0).length
  }

  isQuorum(sids: Iterable<Sid>): boolean {
    const there = new Map<number, number>()
    for (const sid of new Set(sids)) if (this.voters.includes(sid)) this.#weigh(there, sid)
    let groups = 0
    for (const [group, weight] of there) {
      if (weight * 2 > (this.#totals.get(group) ?? 0)) groups += 1
    }
    return groups * 2 > this.#groupCount
  }

  #weigh(totals: Map<number, number>, sid: Sid): void {
    const group = this.#groups.get(sid)
    if (group === undefined) return
    totals.set(group, (totals.get(group) ?? 0) + (this.#weights.get(sid) ?? 0))
  }
}

/** The highest zxid that a quorum has acknowledged, undefined if no quorum has acknowledged any. */
export function highestAgreed(
  quorum: QuorumVerifier,
  acked: ReadonlyMap<Sid, Zxid>,
): Zxid | undefined {
  const falling = [...acked].toSorted(([, a], [, b]) => b - a)
  for (let count = 1; count <= falling.length; count++) {
    const atLeast = falling.slice(0, count)
    if (quorum.isQuorum(atLeast.map(([sid]) => sid))) return atLeast[count - 1]?.[1]
  }
  return undefined
}
