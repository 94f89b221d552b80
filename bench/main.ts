/**
 * `npm run bench`: Apache ZooKeeper and ours on the same machine, three members each, driven by the same load, by turns.
 * docs/performance.md tells how to run it and how to read it; `npm run bench -- --help` its options.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { chooseCells } from './cells.ts'
import { record, redraw } from './document.ts'
import { describeMachine } from './machine.ts'
import { playCells } from './play-cells.ts'
import { measuresTable, tableOf } from './report.ts'
import type { Results, ScenarioResult } from './results.ts'
import { chooseScenarios } from './scenarios/index.ts'
import type { Scenario } from './scenarios/scenario.ts'
import { type TargetName, targetNames } from './targets.ts'

interface Options {
  readonly cells?: string
  readonly scenarios?: string
  readonly targets: readonly TargetName[]
  readonly rounds?: number
  readonly seconds?: number
  readonly warmUp: number
  readonly out: string
  readonly quick: boolean
  readonly record: boolean
  readonly redraw: boolean
}

/** Every kind of cell, in few of its sizes and shapes. */
const quickCells = [
  'get/100B,set/100B',
  'get/32KB/50x10,set/32KB/50x10',
  'echo/100B,echo/32KB/50x10',
  ...['create', 'mix', 'children', 'multi', 'lock'].flatMap((operation) => [
    `${operation}/1x1`,
    `${operation}/50x10`,
  ]),
].join(',')

const options = new Command('npm run bench --')
  .description('Measures Durable Keeper beside Apache ZooKeeper: docs/performance.md.')
  .option('--cells <list>', 'cells only, such as get,set/1KB,50x10 (every cell: *)')
  .option('--scenarios <list>', 'scenarios only, such as failover,tree (every one: *)')
  .option('--quick', 'fewer cells, rounds and seconds, of every kind', false)
  .option('--targets <list>', `of ${targetNames.join(', ')}`, readTargets, [
    'apache',
    'serve',
    'websocket',
    'echo',
    'actor-echo',
  ])
  .option('--rounds <number>', 'runs of each cell on each target (5, quick 3)', readNumber)
  .option('--seconds <number>', 'length of a run (2, quick 1)', readNumber)
  .option('--warm-up <number>', 'seconds of load before the first run', readNumber, 5)
  .option('--out <file>', 'where the JSON goes', 'dist/bench.json')
  .option('--record', 'docs/performance.md and its pictures tell of this run from now on', false)
  .option('--redraw', 'measure nothing: write the document anew from the recorded run', false)
  .parse()
  .opts<Options>()

if (options.redraw) {
  redraw()
  process.exit()
}
const isStopping = stopBetweenRuns()
const isAll = options.cells === undefined && options.scenarios === undefined
const cells = isAll ? (options.quick ? quickCells : '*') : options.cells
const scenarios = isAll ? '*' : options.scenarios
const shared = {
  targets: options.targets,
  rounds: options.rounds ?? (options.quick ? 3 : 5),
  seconds: options.seconds ?? (options.quick ? 1 : 2),
  isStopping,
}

const results: Results = {
  machine: describeMachine(),
  options: {
    rounds: shared.rounds,
    secondsPerRun: shared.seconds,
    command: `npm run bench -- ${process.argv.slice(2).join(' ')}`.replace(/ -- $/, ''),
  },
  cells:
    cells === undefined
      ? []
      : await playCells(chooseCells(cells), { ...shared, warmUp: options.warmUp }),
  scenarios: [],
}
if (results.cells.length > 0) console.log(`\n${tableOf(results)}`)
write()
if (scenarios !== undefined) {
  // A scenario that fails must not take with it what was measured before.
  for await (const played of playScenarios(chooseScenarios(scenarios))) {
    results.scenarios.push(played)
    write()
  }
}
if (results.scenarios.length > 0) console.log(`\n${measuresTable(results)}`)
console.log(`\nwritten to ${options.out}`)
if (options.record && !isStopping()) record(results)
const runs = results.cells.flatMap((cell) => Object.values(cell.runs).flat())
if (runs.some(({ errors }) => errors > 0)) process.exitCode = 1

function write(): void {
  mkdirSync(dirname(options.out), { recursive: true })
  writeFileSync(options.out, `${JSON.stringify(results, null, 1)}\n`)
}

async function* playScenarios(chosen: readonly Scenario[]): AsyncGenerator<ScenarioResult> {
  for (const [at, scenario] of chosen.entries()) {
    if (isStopping()) break
    console.log(`\nscenario ${at + 1}/${chosen.length}, ${scenario.name}: ${scenario.title}`)
    const since = performance.now()
    const tell = (line: string): void => {
      const seconds = Math.round((performance.now() - since) / 1000)
      console.log(`${String(seconds).padStart(4)} s  ${line}`)
    }
    const measures = await scenario.play({ ...shared, isQuick: options.quick, tell })
    if (!isStopping()) yield { name: scenario.name, measures }
  }
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
