/** What two servers showed of one step: the same, a deliberate difference, or one that must be told. */
import { errorCodes } from '../../src/core/wire/refusals.ts'
import { deliberate, type Deliberate, type DeliberateName } from './deliberate.ts'
import type { Observation } from './mask.ts'
import type { Seen } from './player.ts'
import { show, showStep, type Step } from './script.ts'

export interface Difference {
  readonly who: number | 'guest'
  readonly apache: readonly string[]
  readonly ours: readonly string[]
}

export class Comparer {
  /** How often each deliberate difference was met. */
  readonly met: Map<DeliberateName, number>
  /** Watches that 3.8.0 has and we do not, because a deliberate difference kept ours from being set. */
  readonly #onlyApache = new Set<string>()

  constructor(met: Map<DeliberateName, number>) {
    this.met = met
  }

  difference(step: Step, apache: Seen, ours: Seen): Difference | undefined {
    for (const who of new Set([...apache.keys(), ...ours.keys()])) {
      const theirs = inOrder(step, apache.get(who) ?? [])
      const own = inOrder(step, ours.get(who) ?? [])
      if (!this.#isSame(who, step, theirs, own)) {
        return { who, apache: theirs.map(showObservation), ours: own.map(showObservation) }
      }
    }
    return undefined
  }

  #isSame(
    who: number | 'guest',
    step: Step,
    apache: readonly Observation[],
    ours: readonly Observation[],
  ): boolean {
    let at = 0
    for (const theirs of apache) {
      const own = ours[at]
      if (own !== undefined && this.#isPair(who, step, theirs, own)) at += 1
      else if (!this.#isOnlyApaches(who, theirs)) return false
    }
    return at === ours.length
  }

  #isPair(who: number | 'guest', step: Step, apache: Observation, ours: Observation): boolean {
    if (showObservation(apache) === showObservation(ours)) return true
    for (const [name, rule] of Object.entries(deliberate)) {
      if ((rule as Deliberate).same?.(apache, ours, step) !== true) continue
      this.#meet(name as DeliberateName)
      if (name === 'exists needs READ') this.#noteLostWatch(who, ours)
      return true
    }
    return this.#isRemovalOfApaches(who, apache, ours)
  }

  #isRemovalOfApaches(who: number | 'guest', apache: Observation, ours: Observation): boolean {
    if (apache.saw !== 'reply' || ours.saw !== 'reply') return false
    if (ours.request?.op !== 'removeWatches' || apache.err !== 0) return false
    const { path } = ours.request.body as { readonly path: string }
    return ours.err === errorCodes.NoWatcher && this.#onlyApache.has(`${who} ${path}`)
  }

  #noteLostWatch(who: number | 'guest', ours: Observation): void {
    if (ours.saw !== 'reply' || ours.request === undefined) return
    const { path, watch } = ours.request.body as { readonly path: string; readonly watch: boolean }
    if (watch || ours.request.raw !== undefined) this.#onlyApache.add(`${who} ${path}`)
  }

  #isOnlyApaches(who: number | 'guest', observation: Observation): boolean {
    return observation.saw === 'event' && this.#onlyApache.has(`${who} ${observation.path}`)
  }

  #meet(name: DeliberateName): void {
    this.met.set(name, (this.met.get(name) ?? 0) + 1)
  }
}

/** A session’s ephemerals go in no order: their events are compared in one. */
function inOrder(step: Step, seen: readonly Observation[]): readonly Observation[] {
  if (!isEnd(step)) return seen
  const sorted: Observation[] = []
  let run: Observation[] = []
  for (const observation of seen) {
    if (observation.saw === 'event') run.push(observation)
    else {
      sorted.push(...run.toSorted(byPath), observation)
      run = []
    }
  }
  return [...sorted, ...run.toSorted(byPath)]
}

const isEnd = (step: Step): boolean =>
  step.act === 'expire' ||
  (step.act === 'ask' && step.requests.some(({ op }) => op === 'closeSession'))

const byPath = (a: Observation, b: Observation): number =>
  eventKey(a) < eventKey(b) ? -1 : eventKey(a) > eventKey(b) ? 1 : 0

const eventKey = (seen: Observation): string =>
  seen.saw === 'event' ? `${seen.path} ${seen.type}` : ''

export function showObservation(seen: Observation): string {
  switch (seen.saw) {
    case 'reply': {
      const to = seen.request === undefined ? 'ping' : seen.request.op
      return `${to} #${seen.xid} @${seen.zxid} → ${seen.err === 0 ? 'ok' : seen.err} ${show(seen.body)}`
    }
    case 'event': {
      const err = seen.err === 0 ? '' : ` err ${seen.err}`
      const state = seen.state === 3 ? '' : ` state ${seen.state}`
      return `event ${eventNames[seen.type] ?? seen.type} ${seen.path} @${seen.zxid}${err}${state}`
    }
    case 'greeting':
      return `greeting ${seen.session} ${seen.timeOut} ms ${show(seen.rest)}`
    case 'closed':
    case 'silent':
    case 'kept':
      return `${seen.saw}, ${seen.unanswered} unanswered`
  }
}

const eventNames: Readonly<Record<number, string>> = {
  1: 'created',
  2: 'deleted',
  3: 'dataChanged',
  4: 'childrenChanged',
}

/** Line by line; what both say is said once. */
function* bothWays(
  who: string,
  apache: readonly string[],
  ours: readonly string[],
): Generator<string> {
  for (let at = 0; at < Math.max(apache.length, ours.length); at++) {
    const [theirs, own] = [apache[at], ours[at]]
    if (theirs === own) yield `  both   to ${who}: ${own}`
    if (theirs !== own && theirs !== undefined) yield `  apache to ${who}: ${theirs}`
    if (theirs !== own && own !== undefined) yield `  ours   to ${who}: ${own}`
  }
}

export const showDifference = (step: Step, { who, apache, ours }: Difference): string =>
  [showStep(step), ...bothWays(String(who), apache, ours)].join('\n')
