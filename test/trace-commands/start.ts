/** `start 1 2 3` */
import { type Command, sidsOf } from './bench.ts'

export const start: Command = ({ world }, { words }) => {
  for (const sid of sidsOf(words)) world.start(sid)
}
