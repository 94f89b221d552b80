/**
 * Who the members of an ensemble are: what /zookeeper/config says, in ZooKeeper's own lines. A configuration is replicated
 * state; its version is the zxid that made it, and 0 as long as it is only what the settings tell an empty member.
 */
import { asZxid, type Sid, type Zxid } from '../shared/units.ts'
import { Hierarchy, Majority, type QuorumVerifier } from './quorum.ts'

export interface Server {
  /** `host:port:port`, told to clients and never used: a member is found by its number. */
  readonly address: string
  readonly role: 'participant' | 'observer'
  /** `host:port`, where its clients come in. */
  readonly client: string | undefined
}

/** Groups and weights of a hierarchical quorum: both by sid. */
export interface Grouping {
  readonly groups: ReadonlyMap<Sid, number>
  readonly weights: ReadonlyMap<Sid, number>
}

export class Configuration {
  readonly version: Zxid
  readonly servers: ReadonlyMap<Sid, Server>
  /** Undefined: the majority decides. */
  readonly grouping: Grouping | undefined
  readonly voters: readonly Sid[]
  /** The voters whose vote has a weight: they alone may lead. */
  readonly electors: readonly Sid[]
  readonly quorum: QuorumVerifier

  constructor(version: Zxid, servers: ReadonlyMap<Sid, Server>, grouping: Grouping | undefined) {
    this.version = version
    this.servers = new Map([...servers].toSorted(([a], [b]) => a - b))
    this.grouping = grouping
    this.voters = [...this.servers.keys()].filter((sid) => !this.isObserver(sid))
    this.electors = this.voters.filter((sid) => grouping?.weights.get(sid) !== 0)
    this.quorum = grouping ? new Hierarchy(this.voters, grouping) : new Majority(this.voters)
  }

  get sids(): Sid[] {
    return [...this.servers.keys()]
  }

  isObserver(sid: Sid): boolean {
    return this.servers.get(sid)?.role === 'observer'
  }

  withVersion(version: Zxid): Configuration {
    return new Configuration(version, this.servers, this.grouping)
  }

  hasSameMembersAs(other: Configuration): boolean {
    return linesOf(this).join('\n') === linesOf(other).join('\n')
  }

  /** ZooKeeper's text of it (QuorumMaj.toString, QuorumHierarchical.toString). */
  get text(): string {
    return [...linesOf(this), `version=${this.version.toString(16)}`].join('\n')
  }
}

/**
 * Curator replaces its own addresses by the client addresses it finds: those of a part of the members would make it
 * forget the others, so they are told together or not at all.
 */
function linesOf({ servers, grouping }: Configuration): string[] {
  const tellsClients = [...servers.values()].every(({ client }) => client !== undefined)
  const lines = [...servers].map(([sid, { address, role, client }]) => {
    const at = tellsClients ? `;${client}` : ''
    return `server.${sid}=${address}:${role}${at}`
  })
  if (grouping === undefined) return lines
  const groups = new Map<number, Sid[]>()
  for (const [sid, group] of grouping.groups) groups.set(group, [...(groups.get(group) ?? []), sid])
  for (const [group, sids] of groups) lines.push(`group.${group}=${sids.join(':')}`)
  for (const [sid, weight] of grouping.weights) lines.push(`weight.${sid}=${weight}`)
  return lines
}

/** What the settings tell an empty member. */
export interface FirstMembers {
  readonly voters: readonly Sid[]
  readonly observers: readonly Sid[]
  readonly grouping?: Grouping | undefined
  /** Where the clients of a member come in, if that may be told. */
  readonly clientOf?: (sid: Sid) => string | undefined
}

export function firstConfiguration(first: FirstMembers): Configuration {
  const { voters, observers, grouping, clientOf = () => undefined } = first
  const server = (sid: Sid, role: Server['role']): [Sid, Server] => [
    sid,
    { address: `member-${sid}:2888:3888`, role, client: clientOf(sid) },
  ]
  const servers = new Map([
    ...voters.map((sid) => server(sid, 'participant')),
    ...observers.map((sid) => server(sid, 'observer')),
  ])
  return new Configuration(asZxid(0), servers, grouping && completed(grouping, voters))
}

/** Who has no weight of his own has 1 (QuorumHierarchical). */
export function completed({ groups, weights }: Grouping, voters: readonly Sid[]): Grouping {
  const all = new Map(weights)
  for (const sid of voters) if (!all.has(sid)) all.set(sid, 1)
  return { groups, weights: new Map([...all].toSorted(([a], [b]) => a - b)) }
}
