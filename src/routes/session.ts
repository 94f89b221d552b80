/** GET /session: the WebSocket that carries ZooKeeper's frames. */
import type { IRequest } from 'itty-router'
import {
  actorOfSession,
  type Env,
  instanceOf,
  sessionActorStub,
  settingsOf,
} from '../actors/env.ts'
import { asSid, type Sid } from '../core/shared/units.ts'
import { withKnownClient } from './client.ts'
import { membersHeardOf, namedMember } from './members.ts'
import { roomyActor } from './place.ts'

/**
 * Upgrades to a WebSocket at the actor of `?session=0x…`, or at one with room for a new session. `?member=N` asks for a
 * member to be served by.
 */
export async function openSession(request: IRequest, env: Env): Promise<Response> {
  if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') {
    return Response.json({ error: '/session is a WebSocket: ask for an upgrade' }, { status: 426 })
  }
  const settings = settingsOf(env)
  const { session, member } = request.query as Record<string, string | undefined>
  const pinned = namedMember(settings, member)
  if (member !== undefined && pinned === undefined) {
    return Response.json({ error: `there is no member ${member}` }, { status: 400 })
  }
  if (session !== undefined && !/^0x[0-9a-f]{1,16}$/i.test(session)) {
    return Response.json({ error: 'session is 0x and up to 16 hex digits' }, { status: 400 })
  }
  const told = withKnownClient(request as unknown as Request, env)
  if (told === undefined) {
    return Response.json(
      { error: 'the client is vouched for with another secret, or too long ago' },
      { status: 403 },
    )
  }
  const actor =
    session === undefined || BigInt(session) === 0n
      ? await roomyActor(
          env,
          settings,
          pinned ?? instanceOf(env) ?? anyOf(membersHeardOf(env, settings)),
        )
      : actorOfSession(settings.ensemble, BigInt(session))
  if (actor === undefined) {
    return Response.json({ error: 'every session actor is full' }, { status: 503 })
  }
  return sessionActorStub(env, actor).fetch(told)
}

/**
 * New clients are spread over the members by chance: no Worker knows what the others did. An instance of a cluster keeps
 * those that came to it.
 */
function anyOf(members: readonly Sid[]): Sid {
  const [drawn] = crypto.getRandomValues(new Uint32Array(1))
  return members[(drawn ?? 0) % members.length] ?? asSid(1)
}
