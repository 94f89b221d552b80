/**
 * `disk 1 accepted=2 current=1 log=1:1-1:7 applied=1:5 base=1:2`: what a member finds when it starts. Every txn up to
 * `applied` is in its tree; its log begins after `base`. `disk 1 damaged=yes accepted=2`: all of it but its promise is lost.
 */
import { asEpoch, epochOf, type Zxid } from '../../src/core/shared/units.ts'
import { showPoint } from '../../src/core/zab/show.ts'
import { batchOf } from '../sim/disk.ts'
import { type Command, sidsOf, zxidAt, zxidsOf } from './bench.ts'

export const disk: Command = ({ world }, { words, options }) => {
  const zxids = zxidsOf(options.get('log') ?? '').filter((zxid) => zxid > 0)
  const last = zxids.at(-1) ?? zxidAt('0:0')
  const applied = zxidAt(options.get('applied') ?? '0:0')
  const base = zxidAt(options.get('base') ?? '0:0')
  const current = asEpoch(Number(options.get('current') ?? epochOf(last)))
  for (const sid of sidsOf(words)) {
    const found = world.disk(sid)
    found.currentEpoch = current
    found.acceptedEpoch = asEpoch(Number(options.get('accepted') ?? current))
    found.batches = zxids.filter((zxid) => zxid > base).map((zxid) => batchOf(zxid, [textOf(zxid)]))
    found.mustRecover = options.get('damaged') === 'yes'
    found.base = base
    found.tree = zxids
      .filter((zxid) => zxid <= applied)
      .map((zxid) => ({ zxid, txn: textOf(zxid) }))
    found.checkpointed = applied
    for (const zxid of zxids) world.checkers.knows(zxid, textOf(zxid))
  }
}

const textOf = (zxid: Zxid): string => `txn ${showPoint(zxid)}`
