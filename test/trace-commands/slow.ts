/** `slow disk=2 ms=500` or `slow pair=1→2 ms=500`: from now on it takes so long. */
import { pair } from '../sim/network.ts'
import { type Command, pairOf, sidsOf } from './bench.ts'

export const slow: Command = ({ network }, { options }) => {
  const ms = Number(options.get('ms') ?? 1)
  for (const sid of sidsOf(options.get('disk')?.split(',') ?? [])) network.slowDisks.set(sid, ms)
  const pairs = options.get('pair')?.split(',') ?? []
  for (const word of pairs) network.slowPairs.set(pair(...pairOf(word)), ms)
}
