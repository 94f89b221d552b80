/** `note 1→2 looking leader=1 last=1:7 epoch=1 round=1`: a note that nobody sent, or sent long ago, arrives. */
import { asEpoch, asSid } from '../../src/core/shared/units.ts'
import type { ServerState } from '../../src/core/zab/messages.ts'
import { type Command, pairOf, zxidAt } from './bench.ts'

export const note: Command = ({ world }, { words, options }) => {
  const [from, to] = pairOf(words[0])
  const state = (words[1] ?? 'looking') as ServerState
  const vote = {
    leader: asSid(Number(options.get('leader') ?? from)),
    zxid: zxidAt(options.get('last') ?? '0:0'),
    epoch: asEpoch(Number(options.get('epoch') ?? 0)),
  }
  const round = Number(options.get('round') ?? 1)
  world.input(to, {
    type: 'note',
    note: { from, state, vote, round, asks: false, configuration: undefined, pending: undefined },
  })
}
