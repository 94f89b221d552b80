/**
 * Locks and elections by their fencing tokens: whoever writes what a lock guards holds the lowest place in its queue at
 * that very zxid, and tokens never go back.
 */
import { invariant } from '../../src/core/shared/assert.ts'
import type { Answer, Model, Operation } from './model.ts'

/** Queues of contenders, and what only the first of them writes. */
export const recipes = [
  { queue: '/lock', guarded: '/guarded' },
  { queue: '/election', guarded: '/elected' },
] as const

export class RecipeLaws {
  readonly #model: Model
  readonly #tokens = new Map<string, number>()
  /** Times that something guarded was written. */
  guardedWrites = 0

  constructor(model: Model) {
    this.#model = model
  }

  committed(operation: Operation, { err }: Answer, { zxid }: { readonly zxid: number }): void {
    if (operation.type !== 'multi' || err !== 0) return
    const [check, set] = operation.operations
    const recipe = recipes.find(({ guarded }) => set?.type === 'set' && set.path === guarded)
    if (recipe === undefined || check?.type !== 'check' || set?.type !== 'set') return
    this.guardedWrites += 1
    const queue = this.#model.at(recipe.queue, zxid)?.children ?? []
    const first = queue.toSorted((a, b) => placeOf(a) - placeOf(b))[0]
    const holder = `${recipe.queue}/${first}`
    invariant(check.path === holder, `Recipe: ${check.path} writes while ${holder} holds`)
    const token = Number(set.data)
    invariant(token >= (this.#tokens.get(recipe.guarded) ?? 0), 'Recipe: tokens never go back')
    this.#tokens.set(recipe.guarded, token)
  }
}

export const placeOf = (name: string): number => Number(name.slice(-10))
