/**
 * `run 300`, in milliseconds. `pings=yes` shows pings too, `quiet=yes` hides all that the block printed so far.
 */
import type { Command } from './bench.ts'

export const run: Command = (bench, { words, options }) => {
  bench.showsPings = options.get('pings') === 'yes'
  bench.world.run(Number(words[0]))
  if (options.get('quiet') === 'yes') bench.take()
}
