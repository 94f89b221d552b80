/** Who the members are, as far as a Worker knows: it asks now and then, and goes by its settings before it has heard. */
import { withDeadline } from '../actors/deadline.ts'
import { type Env, firstMembersOf, mayBeMember, memberStub } from '../actors/env.ts'
import { limits } from '../core/shared/limits.ts'
import type { Settings } from '../core/shared/settings.ts'
import { asSid, type Sid } from '../core/shared/units.ts'

const askedAgainMs = 5000

interface Heard {
  readonly members: readonly Sid[]
  askAtMs: number
}

/** By the ensemble's name. */
const heard = new Map<string, Heard>()

/** The members of the configuration in force; only a hint, up to some seconds old. */
export function membersHeardOf(env: Env, settings: Settings): readonly Sid[] {
  const known = heard.get(settings.ensemble)
  const members = known?.members ?? firstMembersOf(settings)
  if (known === undefined || Date.now() >= known.askAtMs) {
    heard.set(settings.ensemble, { members, askAtMs: Date.now() + askedAgainMs })
    void askMembers(env, settings)
  }
  return members
}

/** Asks the members, one after the other, until one says who they are; if nobody does, those heard of last. */
export async function askMembers(env: Env, settings: Settings): Promise<readonly Sid[]> {
  const before = heard.get(settings.ensemble)?.members ?? firstMembersOf(settings)
  for (const sid of before) {
    try {
      const { members, isServing } = await withDeadline(
        memberStub(env, settings.ensemble, sid).status(),
        limits.statusDeadlineMs,
      )
      if (!isServing) continue
      const told = members.map(asSid)
      heard.set(settings.ensemble, { members: told, askAtMs: Date.now() + askedAgainMs })
      return told
    } catch {
      // It is down: the next one.
    }
  }
  return before
}

/** The member that a request names; undefined if there can be none of that number. */
export function namedMember(settings: Settings, text: string | undefined): Sid | undefined {
  const sid = /^\d{1,3}$/.test(text ?? '') ? Number(text) : 0
  return mayBeMember(settings, sid) ? asSid(sid) : undefined
}
