/** GET /words/:word: a four-letter word for whoever cannot reach a member's TCP port, the bridge above all. */
import type { IRequest } from 'itty-router'
import { withDeadline } from '../actors/deadline.ts'
import { type Env, memberStub, settingsOf } from '../actors/env.ts'
import { limits } from '../core/shared/limits.ts'
import type { Settings } from '../core/shared/settings.ts'
import type { Sid } from '../core/shared/units.ts'
import { isFourLetterWord } from '../core/wire/opening.ts'
import { membersHeardOf, namedMember } from './members.ts'
import { answerWord } from './four-letter.ts'

/** Answers to the byte what the port of `?member=N` would; of no member in particular, one that serves. */
export async function tellWord(request: IRequest, env: Env): Promise<Response> {
  const settings = settingsOf(env)
  const { word = '' } = request.params as Record<string, string | undefined>
  const { member } = request.query as Record<string, string | undefined>
  if (!isFourLetterWord(word)) {
    return Response.json({ error: `${word} is not a four-letter word` }, { status: 404 })
  }
  const asked = namedMember(settings, member)
  if (member !== undefined && asked === undefined) {
    return Response.json({ error: `there is no member ${member}` }, { status: 400 })
  }
  const sid = asked ?? (await servingMember(env, settings))
  const text = await answerWord(
    word,
    settings.fourLetterWords,
    memberStub(env, settings.ensemble, sid),
  )
  return new Response(text, { headers: { 'content-type': 'text/plain; charset=utf-8' } })
}

/** The first member that serves; if none does, the first, which says so. */
async function servingMember(env: Env, settings: Settings): Promise<Sid> {
  const members = membersHeardOf(env, settings)
  for (const sid of members) {
    try {
      const { isServing } = await withDeadline(
        memberStub(env, settings.ensemble, sid).status(),
        limits.statusDeadlineMs,
      )
      if (isServing) return sid
    } catch {
      // It is down: the next one.
    }
  }
  return members[0] as Sid
}
