/** Which session actor a client goes to. */
import { sessionActorName, sessionActorStub, type Env } from '../actors/env.ts'
import { limits } from '../core/shared/limits.ts'
import type { Settings } from '../core/shared/settings.ts'
import type { Sid } from '../core/shared/units.ts'

/** Per member, the first actor that had room when we last looked. Only a hint: the actor decides. */
const roomy = new Map<Sid, number>()
let placed = 0
/** Actors with lower numbers empty out too: now and then the search begins anew. */
const placedBetweenSearches = 100

/** The name of an actor of this member with room for one more session; undefined if all are full. */
export async function roomyActor(
  env: Env,
  { ensemble }: Settings,
  home: Sid,
): Promise<string | undefined> {
  placed += 1
  if (placed % placedBetweenSearches === 0) roomy.delete(home)
  for (let number = roomy.get(home) ?? 1; number <= limits.sessionActorsMax; number++) {
    const name = sessionActorName(ensemble, home, number)
    if (await sessionActorStub(env, name).admit()) {
      roomy.set(home, number)
      return name
    }
  }
  return undefined
}
