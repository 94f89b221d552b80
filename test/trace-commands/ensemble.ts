/** `ensemble voters=5 observers=1 tick=2000 finalize=200 keep=500 counter-start=0`; `notes=no` hides election notes */
import { asSid } from '../../src/core/shared/units.ts'
import { World } from '../sim/world.ts'
import type { Command } from './bench.ts'

export const ensemble: Command = (bench, { options }) => {
  const number = (name: string, fallback: number): number => Number(options.get(name) ?? fallback)
  const voters = number('voters', 3)
  const sids = Array.from({ length: voters + number('observers', 0) }, (_, at) => asSid(at + 1))
  const config = {
    voters: sids.slice(0, voters),
    observers: sids.slice(voters),
    tickTimeMs: number('tick', 2000),
    initLimitTicks: number('init-limit', 10),
    syncLimitTicks: number('sync-limit', 5),
    finalizeWaitMs: number('finalize', 200),
    historyTxnsMax: number('keep', 500),
    counterStart: number('counter-start', 0),
  }
  bench.showsNotes = options.get('notes') !== 'no'
  bench.world = new World(config, bench.network)
}
