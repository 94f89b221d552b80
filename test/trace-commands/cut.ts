/** `cut 1 3`: nothing passes between the two any more, and their links break when they are used. `cut` mends all. */
import { pair } from '../sim/network.ts'
import { type Command, sidsOf } from './bench.ts'

export const cut: Command = ({ network, world }, { words }) => {
  const [one, ...others] = sidsOf(words)
  if (one === undefined) return network.cut.clear()
  for (const other of others) {
    network.cut.add(pair(one, other))
    world.breakLinks(one, other)
  }
}
