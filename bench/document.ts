/** docs/performance.md as the recorded run says: the part between two markers, and the pictures. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { cellName } from './cells.ts'
import { type Picture, picturesOf } from './pictures.ts'
import { toldFigure, toldMs } from './report.ts'
import { type CellResult, cpuRatioOf, figures, middle, ratioOf, type Results } from './results.ts'
import type { Measure } from './scenarios/scenario.ts'
import { median, spreadOf } from './statistics.ts'

const docs = resolve(import.meta.dirname, '../docs')
export const documentFile = join(docs, 'performance.md')
export const pictureFolder = join(docs, 'performance')
export const recordedFile = join(pictureFolder, 'results.json')
const begin = '<!-- npm run bench: what stands from here on is written by the command -->'
const end = '<!-- npm run bench: until here -->'

/** Somebody else's work that makes rates doubtful, cores. */
export const quietCores = 0.1

/** Keeps a run as the one the document tells of. */
export function record(results: Results): void {
  mkdirSync(pictureFolder, { recursive: true })
  writeFileSync(recordedFile, `${JSON.stringify(results, null, 1)}\n`)
  redraw()
}

/** Writes anew what the recorded run says. */
export function redraw(): void {
  const results = readRecorded()
  for (const file of readdirSync(pictureFolder)) {
    if (file.endsWith('.svg')) rmSync(join(pictureFolder, file))
  }
  for (const { file, svg } of picturesOf(results)) writeFileSync(join(pictureFolder, file), svg)
  writeFileSync(documentFile, withMeasured(readFileSync(documentFile, 'utf8'), results))
}

export const readRecorded = (): Results => JSON.parse(readFileSync(recordedFile, 'utf8')) as Results

export function withMeasured(document: string, results: Results): string {
  const [from, to] = [document.indexOf(begin), document.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${documentFile} has lost its markers`)
  return `${document.slice(0, from + begin.length)}\n\n${measured(results)}\n\n${document.slice(to)}`
}

function measured(results: Results): string {
  const pictures = picturesOf(results)
  const echoes = results.cells.filter(({ operation }) => operation === 'echo')
  const served = results.cells.filter(({ operation }) => operation !== 'echo')
  return [
    '## The last recorded run',
    whereAndHow(results),
    quietness(results),
    ...shown(pictures, ['ratios.svg']),
    ...(served.length === 0 ? [] : ['### Cells', cellTable(served)]),
    ...shown(pictures, ['latency.svg', 'latency-p99.svg', 'cpu.svg']),
    ...(echoes.length === 0 ? [] : ['### The ceiling', cellTable(echoes)]),
    ...(results.scenarios.length === 0 ? [] : ['### Scenarios']),
    ...results.scenarios.flatMap(({ measures }) =>
      measures.flatMap((measure) => [
        `**${measure.title}** (${measure.unit}; ${measure.better} is better)`,
        measureTable(measure),
        ...shown(pictures, [`${measure.name}.svg`]),
      ]),
    ),
  ].join('\n\n')
}

function whereAndHow({ machine, options }: Results): string {
  const { date, commit, cores, cpu, memoryGb, linux, node, workerd, java, zooKeeper } = machine
  return (
    `\`${options.command}\`, ${date}, commit ${commit}: ${options.rounds} rounds of ${options.secondsPerRun} s. ` +
    `${cores} cores (${cpu}), ${memoryGb} GB, Linux ${linux}, Node ${node}, workerd ${workerd}, ` +
    `ZooKeeper ${zooKeeper ?? 'not installed'}, Java ${java ?? 'not installed'}.`
  )
}

function quietness({ cells }: Results): string {
  const others = cells.flatMap(({ runs }) =>
    Object.values(runs)
      .flat()
      .map((run) => run.otherCores),
  )
  if (others.length === 0) return 'No cells were measured.'
  const told = median(others).toFixed(1)
  return median(others) > quietCores
    ? `**The machine was not quiet**: in the median run others used ${told} cores. Of these figures only CPU says something.`
    : `Nobody else used the machine (median ${told} cores).`
}

const shown = (pictures: readonly Picture[], files: readonly string[]): string[] =>
  pictures
    .filter(({ file }) => files.includes(file))
    .map(({ file, title }) => `![${title}](performance/${file})`)

function cellTable(cells: readonly CellResult[]): string {
  const head = [
    'cell',
    'target',
    '/s',
    'ratio',
    'p50 ms',
    'p99 ms',
    'CPU s/1000',
    'CPU ratio',
    'MB',
    'errors',
  ]
  const rows = cells.flatMap((cell) =>
    Object.keys(cell.runs).map((target) => cellRow(cell, target)),
  )
  return table(head, rows)
}

function cellRow(cell: CellResult, target: string): string[] {
  const runs = cell.runs[target] ?? []
  const ratio = target === 'apache' ? undefined : ratioOf(cell, target)
  const cpu = target === 'apache' ? undefined : cpuRatioOf(cell, target)
  return [
    `\`${cellName(cell)}\``,
    target,
    Math.round(middle(runs, 'perSecond')).toLocaleString('en'),
    ratio === undefined
      ? ''
      : `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`,
    toldMs(middle(runs, 'p50Ms')),
    toldMs(middle(runs, 'p99Ms')),
    middle(runs, 'cpuSecondsPer1000').toFixed(3),
    cpu?.toFixed(2) ?? '',
    spreadOf(figures(runs, 'peakMemoryMb')).high.toFixed(0),
    String(figures(runs, 'errors').reduce((sum, errors) => sum + errors, 0)),
  ]
}

function measureTable({ axis, points }: Measure): string {
  const targets = [...new Set(points.flatMap(({ values }) => Object.keys(values)))]
  const rows = points.map(({ x, values }) => [
    ...(axis === '' ? [] : [x.toLocaleString('en')]),
    ...targets.map((target) => figureCell(values[target])),
  ])
  return table([...(axis === '' ? [] : [axis]), ...targets], rows)
}

function figureCell(values: readonly number[] | undefined): string {
  if (values === undefined) return ''
  const { median: middleOne, low, high } = spreadOf(values)
  const told = toldFigure(middleOne)
  return values.length === 1 ? told : `${told} (${toldFigure(low)} to ${toldFigure(high)})`
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
