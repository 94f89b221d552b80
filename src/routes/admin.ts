/** /admin: for whoever runs the ensemble. Every call needs the bearer token of the secret ADMIN_TOKEN. */
import { timingSafeEqual } from 'node:crypto'
import type { IRequest } from 'itty-router'
import { type Env, memberStub, membersOf, settingsOf } from '../actors/env.ts'
import { asSid } from '../core/shared/units.ts'

/** Refuses who may not; lets pass by answering nothing. */
export function requireToken(request: IRequest, env: Env): Response | undefined {
  const given = request.headers.get('authorization') ?? ''
  const wanted = env.ADMIN_TOKEN
  if (wanted === undefined || wanted === '') {
    return refusal(403, 'no ADMIN_TOKEN is set: /admin is closed to everybody')
  }
  if (isSame(given, `Bearer ${wanted}`)) return undefined
  return refusal(401, 'the header "Authorization: Bearer ADMIN_TOKEN" is missing or wrong')
}

/** GET /admin/members: every member's own account of itself; one that cannot be asked is `down`. */
export async function listMembers(_: IRequest, env: Env): Promise<object> {
  const settings = settingsOf(env)
  const { ensemble, zkPort } = settings
  const members = membersOf(settings).map(async (sid, at) => {
    const address = `:${zkPort + at}`
    try {
      const status = await memberStub(env, ensemble, sid).status()
      return { ...status, address }
    } catch (fault) {
      return { sid, role: 'down', why: String(fault), address }
    }
  })
  return { members: await Promise.all(members) }
}

/**
 * POST /admin/members/:sid/:order. `restart`: the member's actor dies as in a crash and comes back from its disk.
 * `stop`: it stays out of service until `start`, restarts included. `rebuild`: one whose disk is of no use begins anew,
 * empty, and votes.
 */
export async function orderMember(request: IRequest, env: Env): Promise<object> {
  const settings = settingsOf(env)
  const { sid: asked, order } = request.params
  const sid = asSid(Number(asked))
  if (!membersOf(settings).includes(sid)) {
    return refusal(404, `there is no member ${asked}`)
  }
  const member = memberStub(env, settings.ensemble, sid)
  if (order === 'start') await member.start()
  else if (order === 'stop') await member.stop()
  else if (order === 'restart') await restart(member)
  else if (order === 'rebuild') return await rebuild(member, sid)
  else
    return refusal(404, `a member can be told to restart, stop, start or rebuild, not to ${order}`)
  return { sid, order }
}

async function rebuild(member: { rebuild(): Promise<void> }, sid: number): Promise<object> {
  try {
    await member.rebuild()
    return { sid, order: 'rebuild' }
  } catch (fault) {
    return refusal(409, fault instanceof Error ? fault.message : String(fault))
  }
}

async function restart(member: { abort(): Promise<void> }): Promise<void> {
  try {
    await member.abort()
  } catch {
    // A call to an actor that aborts itself always fails; that it does is what was asked for.
  }
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [new TextEncoder().encode(given), new TextEncoder().encode(wanted)]
  return a.length === b.length && timingSafeEqual(a, b)
}

const refusal = (status: number, error: string): Response => Response.json({ error }, { status })
