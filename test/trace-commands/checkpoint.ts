/** `checkpoint 3`: its tree is written as it is, and the log that is not to be kept is let go. */
import { type Command, sidsOf } from './bench.ts'

export const checkpoint: Command = ({ world }, { words }) => {
  for (const sid of sidsOf(words)) world.checkpoint(sid)
}
