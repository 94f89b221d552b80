/** What a run of `npm run bench` leaves: one JSON file, from which everything else is made. */
import type { Cell } from './cells.ts'
import type { Machine } from './machine.ts'
import type { Measure } from './scenarios/scenario.ts'
import type { Run } from './stage.ts'
import { ratiosOf, type Spread, spreadOf, median } from './statistics.ts'

export interface Results {
  readonly machine: Machine
  readonly options: {
    readonly rounds: number
    readonly secondsPerRun: number
    readonly command: string
  }
  readonly cells: CellResult[]
  readonly scenarios: ScenarioResult[]
}

export interface CellResult extends Cell {
  /** By target, in the order of the rounds. */
  readonly runs: Record<string, Run[]>
}

export interface ScenarioResult {
  readonly name: string
  readonly measures: readonly Measure[]
}

/** One of a run's figures, over the rounds. */
export const figures = (runs: readonly Run[], figure: keyof Run): number[] =>
  runs.map((run) => run[figure])

export const middle = (runs: readonly Run[], figure: keyof Run): number =>
  median(figures(runs, figure))

/** How many times the CPU of `theirs` an operation costs `ours`: it says something on a busy machine too. */
export function cpuRatioOf(
  { runs }: CellResult,
  ours: string,
  theirs = 'apache',
): number | undefined {
  const [a, b] = [runs[ours] ?? [], runs[theirs] ?? []]
  if (a.length === 0 || b.length === 0) return undefined
  return middle(a, 'cpuSecondsPer1000') / middle(b, 'cpuSecondsPer1000')
}

/** How many times faster `ours` is than `theirs`; undefined where one was not measured. */
export function ratioOf({ runs }: CellResult, ours: string, theirs = 'apache'): Spread | undefined {
  const [a, b] = [runs[ours], runs[theirs]]
  if (a === undefined || b === undefined || a.length === 0 || b.length === 0) return undefined
  return spreadOf(ratiosOf(figures(a, 'perSecond'), figures(b, 'perSecond')))
}
