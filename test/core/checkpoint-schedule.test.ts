/** When a member writes its checkpoint, and what goes ahead of it. */
import { describe, expect, test } from 'vitest'
import { CheckpointSchedule } from '../../src/core/checkpoint-schedule.ts'
import { limits } from '../../src/core/shared/limits.ts'

const rules = {
  snapCountTxns: 10_000,
  unwrittenNodesMax: 1000,
  rowsAtOnceMax: 100,
  rowsAtLastMax: 10,
}
const atMs = 5000

/** What is due after so much was applied. */
function due(
  applied: { readonly txns?: number; readonly bytes?: number; readonly sinceMs?: number },
  tree: { readonly unwritten?: number; readonly changed?: number; readonly bytes?: number },
  isStorageFull = false,
): string {
  const schedule = new CheckpointSchedule(rules)
  schedule.written(atMs)
  const { txns = 1, bytes = 0, sinceMs = 0 } = applied
  if (txns > 0) schedule.applied(atMs, txns, bytes)
  const { unwritten = 0, changed = 0, bytes: changedBytes = 0 } = tree
  const counts = { unwrittenCount: unwritten, changedCount: changed, changedBytes }
  const found = schedule.due(atMs + sinceMs, counts, isStorageFull)
  if (found.type !== 'earlyRows') return found.type
  const first = found.isOverdue ? 'nothing else: ' : ''
  return `${first}${found.count} early${found.isPressing ? ', then the checkpoint' : ''}`
}

const rest = limits.idleBeforeCheckpointMs

describe('[D13] a checkpoint', () => {
  test.each([
    ['a txn', {}, {}, 'nothing'],
    ['as many txns as may be', { txns: 10_000 }, {}, 'checkpoint'],
    ['as much log as may be', { bytes: limits.bytesBetweenCheckpoints }, {}, 'checkpoint'],
    ['one less of each', { txns: 9999, bytes: limits.bytesBetweenCheckpoints - 1 }, {}, 'nothing'],
    ['changed rows, however many', {}, { changed: 100_000 }, 'nothing'],
    ['a rest', { sinceMs: rest }, {}, 'checkpoint'],
    ['a rest in which nothing was applied', { txns: 0, sinceMs: rest }, {}, 'nothing'],
  ] as const)('after %s', (_, applied, tree, expected) => {
    expect(due(applied, tree)).toBe(expected)
  })

  test('of few rows that are too long for one transaction is written ahead too', () => {
    const bytes = limits.pagesAtOnceMax * limits.pageBytes
    expect(due({ txns: 10_000 }, { changed: 10, bytes })).toBe('checkpoint')
    const ahead = '100 early, then the checkpoint'
    expect(due({ txns: 10_000 }, { changed: 10, bytes: bytes + 1 })).toBe(ahead)
  })

  test('is due each second on a full disk, whatever is applied', () => {
    expect(due({ sinceMs: rest - 1 }, {}, true)).toBe('nothing')
    const schedule = new CheckpointSchedule(rules)
    schedule.written(atMs)
    schedule.applied(atMs + rest, 1, 1)
    const nothingLeft = { unwrittenCount: 0, changedCount: 0, changedBytes: 0 }
    expect(schedule.due(atMs + rest, nothingLeft, true).type).toBe('checkpoint')
    expect(schedule.due(atMs + rest, nothingLeft, false).type).toBe('nothing')
  })
})

describe('[D13] rows of new nodes', () => {
  test.each([
    ['wait while less than half of the way is gone', { txns: 4999 }, 1000, 'nothing'],
    ['are no more than may wait', { txns: 1 }, 1100, '100 early'],
    ['go ahead the more the further it is', { txns: 7500 }, 599, 'nothing'],
    ['and no fewer at a time than may', { txns: 7500 }, 600, '100 early'],
    [
      'go before the checkpoint where many are left',
      { txns: 10_000 },
      11,
      '100 early, then the checkpoint',
    ],
    ['go with it where few are', { txns: 10_000 }, 10, 'checkpoint'],
    ['go before the one of a rest too', { sinceMs: rest }, 11, '100 early, then the checkpoint'],
    [
      'and before anything else where it waits for long',
      { txns: 30_000 },
      11,
      'nothing else: 100 early, then the checkpoint',
    ],
    ['but never in one piece with it', { txns: 30_000 }, 10, 'checkpoint'],
  ] as const)('%s', (_, applied, unwritten, expected) => {
    expect(due(applied, { unwritten })).toBe(expected)
  })
})
