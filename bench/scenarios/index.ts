import { crowdScenario } from './crowd.ts'
import { failoverScenario } from './failover.ts'
import { logScenario, treeScenario } from './growth.ts'
import { membersScenario } from './members.ts'
import type { Scenario } from './scenario.ts'

export const scenarios: readonly Scenario[] = [
  failoverScenario,
  membersScenario,
  logScenario,
  treeScenario,
  crowdScenario,
]

/** Throws for a name that none has. */
export function chooseScenarios(list: string): readonly Scenario[] {
  if (list === '*') return scenarios
  const names = list.split(',').map((name) => name.trim())
  const unknown = names.find((name) => !scenarios.some((scenario) => scenario.name === name))
  if (unknown !== undefined) {
    const known = scenarios.map(({ name }) => name).join(', ')
    throw new Error(`no scenario is named "${unknown}": there are ${known}`)
  }
  return scenarios.filter(({ name }) => names.includes(name))
}
