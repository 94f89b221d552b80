/** /admin: for whoever runs the ensemble. Every call needs the bearer token of the secret ADMIN_TOKEN. */
import type { IRequest } from 'itty-router'
import { withDeadline } from '../actors/deadline.ts'
import {
  type Env,
  firstMembersOf,
  instanceOf,
  leaveCluster,
  memberStub,
  settingsOf,
} from '../actors/env.ts'
import { isSecret } from '../actors/is-secret.ts'
import { limits } from '../core/shared/limits.ts'
import type { Settings } from '../core/shared/settings.ts'
import type { Sid } from '../core/shared/units.ts'
import { askMembers, namedMember } from './members.ts'

/** Refuses who may not; lets pass by answering nothing. */
export function requireToken(request: IRequest, env: Env): Response | undefined {
  const given = request.headers.get('authorization') ?? ''
  const wanted = env.ADMIN_TOKEN
  if (wanted === undefined || wanted === '') {
    return refusal(403, 'no ADMIN_TOKEN is set: /admin is closed to everybody')
  }
  if (isSecret(given, `Bearer ${wanted}`)) return undefined
  return refusal(401, 'the header "Authorization: Bearer ADMIN_TOKEN" is missing or wrong')
}

/**
 * GET /admin/members: every member's own account of itself; one that cannot be asked is `down`. The first members are
 * listed even when a reconfiguration removed them: they may still serve.
 */
export async function listMembers(_: IRequest, env: Env): Promise<object> {
  const settings = settingsOf(env)
  const { ensemble } = settings
  const members = (await knownMembers(env, settings)).map(async (sid) => {
    const address = addressOf(env, settings, sid - 1)
    try {
      const status = await withDeadline(
        memberStub(env, ensemble, sid).status(),
        limits.statusDeadlineMs,
      )
      return { ...status, address }
    } catch (fault) {
      return { sid, role: 'down', why: String(fault), address }
    }
  })
  return { members: await Promise.all(members) }
}

async function knownMembers(env: Env, settings: Settings): Promise<Sid[]> {
  const present = await askMembers(env, settings)
  return [...new Set([...firstMembersOf(settings), ...present])].toSorted((a, b) => a - b)
}

/**
 * POST /admin/members/:sid/:order. `restart`: the member's actor dies as in a crash and comes back from its disk.
 * `stop`: it stays out of service until `start`, restarts included. `rebuild`: one whose disk is of no use begins anew,
 * empty, and votes.
 */
export async function orderMember(request: IRequest, env: Env): Promise<object> {
  const settings = settingsOf(env)
  const { sid: asked, order } = request.params
  const sid = namedMember(settings, asked)
  if (sid === undefined) {
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

/** POST /admin/disk/:state, `full` or `free`: what the launcher sees of the disk that all members share. */
export async function noteDisk(request: IRequest, env: Env): Promise<object> {
  const { state } = request.params
  if (state !== 'full' && state !== 'free')
    return refusal(404, `a disk is full or free, not ${state}`)
  const settings = settingsOf(env)
  const told = (await knownMembers(env, settings)).map((sid) =>
    memberStub(env, settings.ensemble, sid).diskIs(state === 'full'),
  )
  await Promise.allSettled(told)
  return { disk: state }
}

async function rebuild(member: { rebuild(): Promise<void> }, sid: number): Promise<object> {
  try {
    await member.rebuild()
    return { sid, order: 'rebuild' }
  } catch (fault) {
    return refusal(409, fault instanceof Error ? fault.message : String(fault))
  }
}

/** POST /admin/leave: this instance of a cluster will be ended. Its member dies as in a crash and stays away. */
export async function leave(_: IRequest, env: Env): Promise<object> {
  const instance = instanceOf(env)
  if (instance === undefined) return refusal(404, 'this is no instance of a cluster')
  const member = memberStub(env, settingsOf(env).ensemble, instance)
  leaveCluster()
  await restart(member)
  return { instance, order: 'leave' }
}

/** Where clients find a member: a port of this machine, or another machine. */
function addressOf(env: Env, { zkPort }: Settings, at: number): string {
  const peer = env.CLUSTER_PEERS?.split(',')[at]
  return peer === undefined ? `:${zkPort + at}` : peer.replace(/:\d+$/, '')
}

async function restart(member: { abort(): Promise<void> }): Promise<void> {
  try {
    await member.abort()
  } catch {
    // A call to an actor that aborts itself always fails; that it does is what was asked for.
  }
}

const refusal = (status: number, error: string): Response => Response.json({ error }, { status })
