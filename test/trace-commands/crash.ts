/** `crash 3`: memory and what is not durable are gone. */
import { type Command, sidsOf } from './bench.ts'

export const crash: Command = ({ world }, { words }) => {
  for (const sid of sidsOf(words)) world.crash(sid)
}
