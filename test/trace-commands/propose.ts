/** `propose 3 count=2` */
import { type Command, sidsOf } from './bench.ts'

export const propose: Command = (bench, { words, options }) => {
  for (const sid of sidsOf(words)) {
    const last = bench.world.propose(sid, Number(options.get('count') ?? 1))
    if (last === undefined) bench.print(`${sid} does not lead`)
  }
}
