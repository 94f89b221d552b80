import { expect, it } from 'vitest'
import { asEpoch, asSid, asZxid } from '../../src/core/shared/units.ts'
import { newTurn } from '../../src/core/turn.ts'
import { firstConfiguration } from '../../src/core/zab/configuration.ts'
import { Journal } from '../../src/core/zab/journal.ts'
import { batchOf } from '../sim/disk.ts'

const config = {
  sid: asSid(1),
  first: firstConfiguration({ voters: [asSid(1), asSid(2), asSid(3)], observers: [] }),
  tickTimeMs: 1000,
  initLimitTicks: 10,
  syncLimitTicks: 5,
  finalizeWaitMs: 200,
  historyTxnsMax: 500,
}

it('takes the news of two flushes in either order: the later one covers the earlier', () => {
  const journal = new Journal(config, {
    acceptedEpoch: asEpoch(0),
    currentEpoch: asEpoch(0),
    base: asZxid(0),
    batches: [],
    committed: asZxid(0),
    mustRecover: false,
    configuration: undefined,
  })
  for (const zxid of [asZxid(1), asZxid(2)]) {
    journal.append(batchOf(zxid, ['txn']), newTurn())
    journal.whenDurable(7, { type: 'ack', zxid }, newTurn())
  }
  const turn = newTurn()
  journal.settle(2, turn)
  expect(turn.send).toEqual([{ link: 7, packet: { type: 'ack', zxid: 2 } }])
  journal.settle(1, turn)
  expect(turn.send).toHaveLength(1)
})
