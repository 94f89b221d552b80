/**
 * What a client may expect of any ensemble, Apache's or ours, over any transport. Call it inside a test file, with a
 * server that is up when the tests run; it keeps to a subtree of its own and takes it away.
 */
import { describe } from 'vitest'
import { auth } from './suite/auth.ts'
import { chroots } from './suite/chroots.ts'
import { operations } from './suite/operations.ts'
import { reads } from './suite/reads.ts'
import { sessions } from './suite/sessions.ts'
import type { Target } from './suite/fixture.ts'
import { transactions } from './suite/transactions.ts'
import { lifetimes } from './suite/lifetimes.ts'
import { stayingWatches } from './suite/staying-watches.ts'
import { watches } from './suite/watches.ts'

export type { Target } from './suite/fixture.ts'

export function clientSuite(target: Target): void {
  describe(`client against ${target.name}`, () => {
    describe('operations', () => operations(target))
    describe('containers and times to live', () => lifetimes(target))
    describe('reads of many', () => reads(target))
    describe('auth', () => auth(target))
    describe('multi', () => transactions(target))
    describe('watches', () => watches(target))
    describe('watches that stay', () => stayingWatches(target))
    describe('chroot', () => chroots(target))
    describe('sessions', () => sessions(target))
  })
}
