/** What `durable-keeper/recipes` exports. */
export { Barrier, DoubleBarrier } from './barrier.ts'
export { Counter } from './counter.ts'
export { Election } from './election.ts'
export { Group, type Members } from './group.ts'
export { type Hold, HoldLost } from './hold.ts'
export { Lock, type LockOptions, ReadWriteLock } from './lock.ts'
export type { Waiting } from './patience.ts'
export { type Item, Queue } from './queue.ts'
export { Semaphore } from './semaphore.ts'
export {
  cacheSubtree,
  type SubtreeCache,
  type SubtreeChange,
  type SubtreeListener,
} from './subtree.ts'
