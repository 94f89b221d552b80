/** What more members cost a write. */
import { Stage } from '../stage.ts'
import { rateOf } from './rates.ts'
import { add, type Context, type Measure, type Scenario, withServers } from './scenario.ts'

export const membersScenario: Scenario = {
  name: 'members',
  title: 'set with 1, 3, 5 and 7 members',

  async play(context: Context) {
    const rates: Measure = {
      name: 'members',
      title: 'setData of 100 bytes, 50 sessions with 10 under way',
      unit: 'sets/s',
      better: 'more',
      axis: 'members',
      points: [],
    }
    const lone: Measure = {
      ...rates,
      name: 'members-lone',
      title: 'setData of 100 bytes, one session with one under way',
      points: [],
    }
    for (const members of context.isQuick ? [1, 3, 5] : [1, 3, 5, 7]) {
      if (context.isStopping()) break
      await withServers(context, { members }, async (driven) => {
        const stages = driven.map(({ target }) => new Stage(target))
        for (const stage of stages) await stage.setUp()
        for (let round = 0; round < context.rounds; round++) {
          for (const stage of stages) {
            const { name } = stage.target
            const many = await rateOf(stage, 'set', { sessions: 50, window: 10 }, context)
            const one = await rateOf(stage, 'set', { sessions: 1, window: 1 }, context)
            add(rates, members, name, many.perSecond)
            add(lone, members, name, one.perSecond)
            context.tell(
              `${name}, ${members} members: ${many.perSecond.toFixed(0)} sets/s, alone ${one.perSecond.toFixed(0)}`,
            )
          }
        }
        for (const stage of stages) await stage.close()
      })
    }
    return [rates, lone]
  },
}
