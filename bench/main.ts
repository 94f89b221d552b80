/**
 * `npm run bench`: Apache ZooKeeper and ours on the same machine, three members each, driven by the same load, by turns.
 * docs/performance.md tells how to run it and how to read it; `npm run bench -- --help` its options.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { chooseCells, type Cell } from './cells.ts'
import { describeMachine } from './machine.ts'
import { Progress } from './progress.ts'
import { runLine, tableOf } from './report.ts'
import type { CellResult, Results } from './results.ts'
import { Stage } from './stage.ts'
import { startTargets, type TargetName, targetNames } from './targets.ts'

interface Options {
  readonly cells: string | undefined
  readonly targets: readonly TargetName[]
  readonly rounds: number
  readonly seconds: number
  readonly warmUp: number
  readonly out: string
  readonly quick: boolean
}

/** Every kind of cell, in few of its sizes and shapes. */
const quickCells = [
  'get/100B,set/100B',
  'get/32KB/50x10,set/32KB/50x10',
  ...['create', 'mix', 'children', 'multi', 'lock'].flatMap((operation) => [
    `${operation}/1x1`,
    `${operation}/50x10`,
  ]),
].join(',')

const command = new Command('npm run bench --')
  .description('Measures Durable Keeper beside Apache ZooKeeper.')
  .option('--cells <list>', 'cells to run, such as get,set/1KB,50x10 (every cell: *)')
  .option('--targets <list>', `of ${targetNames.join(', ')}`, readTargets, ['apache', 'serve'])
  .option('--quick', 'fewer cells, of every kind', false)
  .option('--rounds <number>', 'runs of each cell on each target', readNumber, 3)
  .option('--seconds <number>', 'length of a run', readNumber, 1)
  .option('--warm-up <number>', 'seconds of load before the first run', readNumber, 5)
  .option('--out <file>', 'where the JSON goes', 'dist/bench.json')
  .parse()

const options = command.opts<Options>()
const isStopping = stopBetweenRuns()
const filter = options.cells ?? (options.quick ? quickCells : '*')
const chosen = chooseCells(filter).filter(({ operation }) => operation !== 'echo')
const results: Results = {
  machine: describeMachine(),
  options: {
    rounds: options.rounds,
    secondsPerRun: options.seconds,
    command: `npm run bench -- ${process.argv.slice(2).join(' ')}`.trim(),
  },
  cells: [],
}

console.log(`starting ${options.targets.join(', ')} …`)
const started = await startTargets(options.targets)
try {
  const stages = started.targets.map((target) => new Stage(target))
  for (const stage of stages) await stage.setUp()
  await warmUp(stages)
  const progress = new Progress(chosen.length * stages.length * options.rounds)
  for (const cells of byShape(chosen)) await playShape(cells, stages, progress)
  for (const stage of stages) await stage.close()
} finally {
  await started.stop()
}
console.log(`\n${tableOf(results)}`)
mkdirSync(dirname(options.out), { recursive: true })
writeFileSync(options.out, `${JSON.stringify(results, null, 1)}\n`)
console.log(`\nwritten to ${options.out}`)
const errors = results.cells.flatMap(({ runs }) => Object.values(runs).flat())
if (errors.some((run) => run.errors > 0)) process.exitCode = 1

/** A JVM compiles what it meets often, and so does V8: neither should be doing that in the first run only. */
async function warmUp(stages: readonly Stage[]): Promise<void> {
  const kinds = [...new Set(chosen.map(({ operation }) => operation))]
  for (const stage of stages) {
    await stage.open(50)
    for (const operation of kinds) {
      if (isStopping()) return
      const cell = { operation, bytes: 100, sessions: 50, window: 10 }
      await stage.run(cell, options.warmUp / kinds.length)
    }
  }
}

/** Round by round, target by target: what disturbs the machine for a while disturbs all of them. */
async function playShape(
  cells: readonly Cell[],
  stages: readonly Stage[],
  progress: Progress,
): Promise<void> {
  if (isStopping()) return
  for (const stage of stages) await stage.open(cells[0]?.sessions ?? 1)
  for (const cell of cells) {
    const result: CellResult = { ...cell, runs: {} }
    for (const { target } of stages) result.runs[target.name] = []
    for (let round = 0; round < options.rounds && !isStopping(); round++) {
      for (const stage of stages) {
        const run = await stage.run(cell, options.seconds)
        result.runs[stage.target.name]?.push(run)
        progress.tell(runLine(result, stage.target.name, run))
        await Promise.all(stages.map((one) => one.ping()))
      }
    }
    if (!isStopping()) results.cells.push(result)
  }
}

function byShape(all: readonly Cell[]): Cell[][] {
  const groups = Map.groupBy(all, ({ sessions, window }) => `${sessions}x${window}`)
  return [...groups.values()]
}

/** Ctrl-C ends it after the run under way, so that no server is left behind; a second one at once. */
function stopBetweenRuns(): () => boolean {
  let isAsked = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isAsked) process.exit(130)
      isAsked = true
      console.log('ending after this run …')
    })
  }
  return () => isAsked
}

function readNumber(text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('must be a number above 0')
  return value
}

function readTargets(text: string): TargetName[] {
  const names = text.split(',')
  const unknown = names.find((name) => !(targetNames as readonly string[]).includes(name))
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`"${unknown}" is none of ${targetNames.join(', ')}`)
  }
  return names as TargetName[]
}
