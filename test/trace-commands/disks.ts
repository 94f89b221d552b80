/** `disks`: what would be found after a crash. */
import { showPoint } from '../../src/core/zab/show.ts'
import type { Command } from './bench.ts'
import { sidsOf } from './bench.ts'
import { showBatch } from './show-turn.ts'

export const disks: Command = (bench, { words }) => {
  for (const sid of words.length === 0 ? bench.world.sids : sidsOf(words)) {
    const disk = bench.world.disk(sid)
    const [first] = disk.batches
    const last = disk.batches.at(-1)
    const log = first && last ? showBatch({ ...first, last: last.last }) : 'empty'
    bench.print(
      [`${sid} accepted=${disk.acceptedEpoch}`, `current=${disk.currentEpoch}`, `log=${log}`]
        .concat(`tree=${showPoint(disk.checkpointed)}`)
        .join(' '),
    )
  }
}
