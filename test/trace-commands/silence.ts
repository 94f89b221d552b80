/** `silence 1 3`: nothing passes between the two, and nobody notices by the link. `silence` ends it. */
import { pair } from '../sim/network.ts'
import { type Command, sidsOf } from './bench.ts'

export const silence: Command = ({ network }, { words }) => {
  const [one, ...others] = sidsOf(words)
  if (one === undefined) return network.silent.clear()
  for (const other of others) network.silent.add(pair(one, other)).add(pair(other, one))
}
