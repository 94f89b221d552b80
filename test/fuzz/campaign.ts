/** Many lives of many targets from one seed: what fails is told with the inputs that suffice to see it again. */
import { setImmediate } from 'node:timers/promises'
import { Random } from '../../src/core/shared/random.ts'
import type { Target } from './target.ts'

export interface Campaign {
  readonly seed: number
  readonly mutations: number
  readonly targets: readonly Target[]
  /** Called before each input, for whoever watches the clock. */
  readonly before?: (target: Target, input: Uint8Array, count: number) => void
}

export interface Failure {
  readonly target: Target
  readonly life: number
  readonly inputs: readonly Uint8Array[]
  readonly cause: unknown
}

export interface Tally {
  count: number
  /** By target and kind of input. */
  readonly kinds: Map<string, number>
  /** The input that took longest, ms. */
  slowestMs: number
  slowest: { readonly target: Target; readonly life: number; readonly at: number } | undefined
  failure: Failure | undefined
}

/** Runs until the mutations are used up or something fails. */
export async function runCampaign(campaign: Campaign): Promise<Tally> {
  const tally: Tally = {
    count: 0,
    kinds: new Map(),
    slowestMs: 0,
    slowest: undefined,
    failure: undefined,
  }
  const shares = campaign.targets.reduce((sum, { share }) => sum + share, 0)
  const left = new Map(
    campaign.targets.map((one) => [one, Math.ceil((campaign.mutations * one.share) / shares)]),
  )
  // The targets take turns, so that whatever grows is seen early.
  for (let life = 0; tally.failure === undefined && left.size > 0; life++) {
    for (const [target, inputs] of left) {
      const taken = Math.min(inputs, target.inputsPerLife * target.share)
      const lives = Math.ceil(taken / target.inputsPerLife)
      for (let at = 0; at < lives && tally.failure === undefined; at++) {
        live(campaign, target, life * target.share + at, tally)
        // Promises and microtasks of what was done are done with before more comes.
        await setImmediate()
      }
      if (inputs - taken > 0) left.set(target, inputs - taken)
      else left.delete(target)
    }
  }
  return tally
}

/** The inputs of one life, as its number and the seed say. */
export function inputsOf(target: Target, seed: number, life: number): Uint8Array[] {
  const random = randomOf(target, seed, life)
  return Array.from({ length: target.inputsPerLife }, () => target.draw(random))
}

function live(campaign: Campaign, target: Target, number: number, tally: Tally): void {
  const random = randomOf(target, campaign.seed, number)
  let taken = 0
  try {
    const life = target.begin()
    for (; taken < target.inputsPerLife; taken++) {
      const input = target.draw(random)
      tally.count += 1
      const kind = `${target.name}: ${target.kindOf(input)}`
      tally.kinds.set(kind, (tally.kinds.get(kind) ?? 0) + 1)
      campaign.before?.(target, input, tally.count)
      const since = performance.now()
      life.take(input)
      const tookMs = performance.now() - since
      if (tookMs > tally.slowestMs) {
        tally.slowestMs = tookMs
        tally.slowest = { target, life: number, at: taken }
      }
    }
    life.end?.()
  } catch (cause) {
    const inputs = inputsOf(target, campaign.seed, number).slice(0, taken + 1)
    tally.failure = { target, life: number, inputs, cause }
  }
}

function randomOf(target: Target, seed: number, life: number): Random {
  let mixed = seed >>> 0
  for (const char of target.name) mixed = Math.imul(mixed ^ char.charCodeAt(0), 0x0100_0193)
  return new Random((mixed ^ Math.imul(life + 1, 0x9e37_79b1)) >>> 0)
}

/** The fault of these inputs in a life of their own; undefined if they do no harm. */
export function faultOf(target: Target, inputs: readonly Uint8Array[]): unknown {
  try {
    const life = target.begin()
    for (const input of inputs) life.take(input)
    life.end?.()
    return undefined
  } catch (fault) {
    return fault ?? new Error('threw nothing')
  }
}

/** Fewer and shorter inputs with the same kind of fault, as far as the time allows. */
export function shrunk({ target, inputs, cause }: Failure, untilMs: number): Uint8Array[] {
  const like = signatureOf(cause)
  const shows = (part: readonly Uint8Array[]): boolean => {
    const fault = faultOf(target, part)
    return fault !== undefined && signatureOf(fault) === like
  }
  if (!shows(inputs)) return [...inputs]
  const fewest = fewer([...inputs], shows, untilMs)
  for (const [at, input] of fewest.entries()) {
    const bytes = fewer(
      [...input],
      (part) => shows(fewest.with(at, Uint8Array.from(part))),
      untilMs,
    )
    fewest[at] = Uint8Array.from(bytes)
  }
  return fewest
}

const signatureOf = (fault: unknown): string =>
  fault instanceof Error ? `${fault.name} ${fault.message.replace(/\d+/g, 'N')}` : String(fault)

function fewer<T>(parts: T[], shows: (some: T[]) => boolean, untilMs: number): T[] {
  let kept = parts
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size > 1 ? size >> 1 : 0) {
    for (let to = kept.length; to > 0 && performance.now() < untilMs; to -= size) {
      const some = kept.toSpliced(Math.max(0, to - size), Math.min(size, to))
      if (shows(some)) kept = some
    }
  }
  return kept
}
