/** `ensemble voters=5 observers=1 tick=2000 finalize=200 keep=500 propose-to=quorum counter-start=0 groups=1,2|3`; `notes=no` hides election notes */
import { asSid, type Sid } from '../../src/core/shared/units.ts'
import { firstConfiguration, type Grouping } from '../../src/core/zab/configuration.ts'
import { World } from '../sim/world.ts'
import type { Command } from './bench.ts'

export const ensemble: Command = (bench, { options }) => {
  const number = (name: string, fallback: number): number => Number(options.get(name) ?? fallback)
  const voters = number('voters', 3)
  const sids = Array.from({ length: voters + number('observers', 0) }, (_, at) => asSid(at + 1))
  const config = {
    first: firstConfiguration({
      voters: sids.slice(0, voters),
      observers: sids.slice(voters),
      grouping: groupingOf(options.get('groups'), options.get('weights')),
    }),
    tickTimeMs: number('tick', 2000),
    initLimitTicks: number('init-limit', 10),
    syncLimitTicks: number('sync-limit', 5),
    finalizeWaitMs: number('finalize', 200),
    proposeToQuorum: options.get('propose-to') === 'quorum',
    historyTxnsMax: number('keep', 500),
    counterStart: number('counter-start', 0),
  }
  bench.showsNotes = options.get('notes') !== 'no'
  bench.world = new World(config, bench.network)
}

/** `groups=1,2,3|4,5,6 weights=3:0` */
export function groupingOf(groups: string | undefined, weights = ''): Grouping | undefined {
  if (groups === undefined) return undefined
  const members = groups
    .split('|')
    .flatMap((text, group) =>
      text.split(',').map((sid): [Sid, number] => [asSid(Number(sid)), group + 1]),
    )
  const weighed = weights.split(',').filter((text) => text !== '')
  return {
    groups: new Map(members),
    weights: new Map(
      weighed.map((text) => {
        const [sid, weight] = text.split(':').map(Number)
        return [asSid(sid ?? 0), weight ?? 1]
      }),
    ),
  }
}
