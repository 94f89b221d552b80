/** What wrangler.toml gives the Worker and its actors, and how actors are named. */
import { readSettings } from '../core/shared/read-settings.ts'
import type { Settings } from '../core/shared/settings.ts'
import { type Configuration, firstConfiguration } from '../core/zab/configuration.ts'
import { asSid, type Sid } from '../core/shared/units.ts'
import type { Door } from './door.ts'
import type { Member } from './member.ts'
import type { Session } from './session.ts'

export interface Env {
  readonly MEMBER: DurableObjectNamespace<Member>
  readonly SESSION: DurableObjectNamespace<Session>
  /** Secret: the bearer token of /admin. Without one, /admin refuses everybody. */
  readonly ADMIN_TOKEN?: string
  /** Secret: whoever has it, a bridge, is believed when it says where a client sits. */
  readonly BRIDGE_SECRET?: string
  /** Secret: what the front, which has the sockets of TCP clients, begins its streams with. */
  readonly FRONT_SECRET?: string
  /** In a cluster: the number of this instance, and of the one member that may run on it. */
  readonly INSTANCE?: string
  /** In a cluster: where the instances reach each other, host:port, the first one's first. */
  readonly CLUSTER_PEERS?: string
  /** Secret: what the instances of a cluster know each other by. */
  readonly CLUSTER_KEY?: string
  /** Secret: `super:` and the base64 SHA-1 of `super:password`. Who proves it may do everything. */
  readonly SUPER_DIGEST?: string
  /** The settings of settings.ts. */
  readonly [setting: string]: unknown
}

/** Calls that must not be repeated behind our back: late or double, they would confuse an election. */
const once = { retry: { maxRetries: 0 } } as const

export function settingsOf(env: Env): Settings {
  return readSettings(env)
}

/** The members of an empty ensemble; afterwards its configuration says who they are. */
export const firstMembersOf = (settings: Settings): Sid[] =>
  sids(1, settings.members + settings.observers)

/** Whether this number may be a member's, now or one day. */
export const mayBeMember = ({ maxMembers }: Settings, sid: number): boolean =>
  Number.isInteger(sid) && sid >= 1 && sid <= maxMembers

/** What the settings tell an empty member. */
export function firstConfigurationOf(settings: Settings): Configuration {
  const { members, observers, groups, weights, advertisedHost, zkPort } = settings
  const grouping = {
    groups: new Map(groups.flatMap((group, at) => group.map((sid) => [asSid(sid), at + 1]))),
    weights: new Map([...weights].map(([sid, weight]) => [asSid(sid), weight])),
  }
  return firstConfiguration({
    voters: sids(1, members),
    observers: sids(members + 1, observers),
    grouping: groups.length === 0 ? undefined : grouping,
    clientOf: (sid) => advertisedHost && `${advertisedHost}:${zkPort + sid - 1}`,
  })
}

const sids = (first: number, count: number): Sid[] =>
  Array.from({ length: count }, (_, at) => asSid(first + at))

export const memberName = (ensemble: string, sid: Sid): string => `${ensemble}/member/${sid}`
export const sessionActorName = (ensemble: string, home: Sid, number: number): string =>
  `${ensemble}/session/${home}.${number}`

/** Throws for a name that `memberName` did not make. */
export function sidOfMember(name: string | undefined): Sid {
  const found = /\/member\/(\d+)$/.exec(name ?? '')
  if (found === null) throw new Error(`not the name of a member: ${name}`)
  return asSid(Number(found[1]))
}

/** The actor whose number stands in the high bits of a session id. */
export function actorOfSession(ensemble: string, session: bigint): string {
  const bits = BigInt.asUintN(64, session)
  return sessionActorName(ensemble, asSid(Number(bits >> 56n)), Number((bits >> 40n) & 0xffffn))
}

/** Throws for a name that `sessionActorName` did not make. */
export function placeOfSessionActor(name: string | undefined): { home: Sid; number: number } {
  const found = /\/session\/(\d+)\.(\d+)$/.exec(name ?? '')
  if (found === null) throw new Error(`not the name of a session actor: ${name}`)
  return { home: asSid(Number(found[1])), number: Number(found[2]) }
}

export function memberStub(env: Env, ensemble: string, sid: Sid): DurableObjectStub<Member> {
  if (env.INSTANCE !== undefined) {
    const door = env[doorBinding(sid)] as Service<typeof Door>
    const key = env.CLUSTER_KEY ?? ''
    if (instanceOf(env) !== sid) return stubOf((method, args) => door.knock(key, method, ...args))
    if (isLeaving) return stubOf(() => Promise.reject(new Error(`instance ${sid} is leaving`)))
  }
  return env.MEMBER.getByName(memberName(ensemble, sid), once as never)
}

/**
 * This instance of a cluster is about to end. A call to its member that came now would move the member to another
 * instance for good, so there are no more: the others elect without it at once.
 */
let isLeaving = false
export const leaveCluster = (): void => void (isLeaving = true)

/** The member of this instance, in a cluster. */
export const instanceOf = ({ INSTANCE }: Env): Sid | undefined =>
  INSTANCE === undefined ? undefined : asSid(Number(INSTANCE))

/** The binding to another instance's door. */
export const doorBinding = (sid: Sid): string => `DOOR_${sid}`

/** A member whose methods are all this one call. */
const stubOf = (call: (method: string, args: unknown[]) => unknown): DurableObjectStub<Member> =>
  new Proxy({} as DurableObjectStub<Member>, {
    get: (_, method) =>
      // A promise that resolves with a stub asks it for `then`.
      typeof method === 'string' && method !== 'then'
        ? (...args: unknown[]) => call(method, args)
        : undefined,
  })

export const sessionActorStub = (env: Env, name: string): DurableObjectStub<Session> =>
  env.SESSION.getByName(name, once as never)
