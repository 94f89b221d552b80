/** What recipes do on any ensemble, Apache's or ours: two clients and more each. As the client's suite, call it inside a test file. */
import { describe } from 'vitest'
import type { Target } from '../client/suite/fixture.ts'
import { barriers } from './suite/barriers.ts'
import { caches } from './suite/caches.ts'
import { counters } from './suite/counters.ts'
import { locks } from './suite/locks.ts'
import { members } from './suite/members.ts'
import { queues } from './suite/queues.ts'

export function recipeSuite(target: Target): void {
  describe(`recipes against ${target.name}`, () => {
    describe('locks, semaphores, elections', () => locks(target))
    describe('barriers', () => barriers(target))
    describe('queue', () => queues(target))
    describe('counter', () => counters(target))
    describe('group', () => members(target))
    describe('cached subtree', () => caches(target))
  })
}
