/** Every cell on every target that can play it: A B A B …, round by round. */
import { type Cell, shapeName } from './cells.ts'
import { Progress } from './progress.ts'
import { runLine } from './report.ts'
import type { CellResult } from './results.ts'
import { Stage } from './stage.ts'
import { isEcho, startTargets, type Target, type TargetName } from './targets.ts'

export interface CellOptions {
  readonly targets: readonly TargetName[]
  readonly rounds: number
  readonly seconds: number
  readonly warmUp: number
  readonly isStopping: () => boolean
}

/** An echo plays the echo's cells, servers play the others. */
const plays = ({ greets }: Pick<Target, 'greets'>, { operation }: Cell): boolean =>
  greets === (operation !== 'echo')

export async function playCells(
  cells: readonly Cell[],
  options: CellOptions,
): Promise<CellResult[]> {
  const targets = options.targets.filter((name) =>
    cells.some((cell) => plays({ greets: !isEcho(name) }, cell)),
  )
  if (targets.length === 0) return []
  console.log(`starting ${targets.join(', ')} …`)
  const started = await startTargets(targets)
  try {
    const stages = started.targets.map((target) => new Stage(target))
    for (const stage of stages) await stage.setUp()
    await warmUp(cells, stages, options)
    const pairs = cells.flatMap((cell) => stages.filter(({ target }) => plays(target, cell)))
    const progress = new Progress(pairs.length * options.rounds)
    const results: CellResult[] = []
    for (const group of Map.groupBy(cells, shapeName).values()) {
      results.push(...(await playShape(group, stages, progress, options)))
    }
    for (const stage of stages) await stage.close()
    return results
  } finally {
    await started.stop()
  }
}

/** A JVM compiles what it meets often, and so does V8: neither should be doing that in the first run only. */
async function warmUp(
  cells: readonly Cell[],
  stages: readonly Stage[],
  { warmUp: seconds, isStopping }: CellOptions,
): Promise<void> {
  const kinds = [...new Set(cells.map(({ operation }) => operation))]
  const warming = kinds.map((operation) => ({ operation, bytes: 100, sessions: 50, window: 10 }))
  for (const stage of stages) {
    await stage.open(50)
    const own = warming.filter((cell) => plays(stage.target, cell))
    for (const cell of own) {
      if (!isStopping()) await stage.run(cell, seconds / own.length)
    }
  }
}

/** What disturbs the machine for a while disturbs all targets. */
async function playShape(
  cells: readonly Cell[],
  stages: readonly Stage[],
  progress: Progress,
  { rounds, seconds, isStopping }: CellOptions,
): Promise<CellResult[]> {
  if (isStopping()) return []
  await Promise.all(stages.map((stage) => stage.open(cells[0]?.sessions ?? 1)))
  const results: CellResult[] = []
  for (const cell of cells) {
    const playing = stages.filter(({ target }) => plays(target, cell))
    const result: CellResult = { ...cell, runs: {} }
    for (let round = 0; round < rounds && !isStopping(); round++) {
      for (const stage of playing) {
        const { name } = stage.target
        const run = await stage.run(cell, seconds)
        ;(result.runs[name] ??= []).push(run)
        progress.tell(runLine(result, name, run))
        await Promise.all(stages.map((one) => one.ping()))
      }
    }
    if (!isStopping()) results.push(result)
  }
  return results
}
