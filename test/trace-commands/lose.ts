/** `lose 1→2 2→1`: election notes between these are lost from now on. `lose` loses none. */
import { pair } from '../sim/network.ts'
import { type Command, pairOf } from './bench.ts'

export const lose: Command = ({ network }, { words }) => {
  const lost = new Set(words.map((word) => pair(...pairOf(word))))
  network.losesNote = (from, to) => lost.has(pair(from, to))
}
