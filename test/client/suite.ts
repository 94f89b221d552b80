/**
 * What a client may expect of any ensemble, Apache's or ours, over any transport. Call it inside a test file, with a
 * server that is up when the tests run; it keeps to a subtree of its own and takes it away.
 */
import { describe } from 'vitest'
import { operations } from './suite/operations.ts'
import { sessions } from './suite/sessions.ts'
import type { Target } from './suite/fixture.ts'
import { transactions } from './suite/transactions.ts'
import { watches } from './suite/watches.ts'

export type { Target } from './suite/fixture.ts'

export function clientSuite(target: Target): void {
  describe(`client against ${target.name}`, () => {
    describe('operations', () => operations(target))
    describe('multi', () => transactions(target))
    describe('watches', () => watches(target))
    describe('sessions', () => sessions(target))
  })
}
