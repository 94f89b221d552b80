/** `reconfig 3 voters=1,2,4 observers=3`: the leader proposes these members, as if a request had been granted. */
import { asSid, type Sid } from '../../src/core/shared/units.ts'
import { firstConfiguration } from '../../src/core/zab/configuration.ts'
import { type Command, sidsOf } from './bench.ts'
import { groupingOf } from './ensemble.ts'

export const reconfig: Command = (bench, { words, options }) => {
  const sids = (name: string): Sid[] =>
    (options.get(name) ?? '')
      .split(',')
      .filter((sid) => sid !== '')
      .map((sid) => asSid(Number(sid)))
  const grouping = groupingOf(options.get('groups'), options.get('weights'))
  const members = firstConfiguration({
    voters: sids('voters'),
    observers: sids('observers'),
    grouping,
  })
  for (const sid of sidsOf(words)) {
    const version = bench.world.reconfigure(sid, (zxid) => members.withVersion(zxid))
    if (version === undefined) bench.print(`${sid} does not lead`)
  }
}
