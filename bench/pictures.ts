/** Which pictures a run is told by. */
import { type Cell, toldBytes } from './cells.ts'
import { type Dot, dotPlot, linePlot } from './plots.ts'
import { type CellResult, figures, ratioOf, type Results } from './results.ts'
import type { Measure } from './scenarios/scenario.ts'
import type { Run } from './stage.ts'
import { spreadOf } from './statistics.ts'

export interface Picture {
  readonly file: string
  readonly title: string
  readonly svg: string
}

export function picturesOf(results: Results): Picture[] {
  const served = results.cells.filter(({ operation }) => operation !== 'echo')
  const compared = served.filter((cell) => ratiosIn(cell).length > 0)
  const pictures = [
    compared.length === 0 ? [] : ratioPicture(compared),
    figurePicture(served, 'p50Ms', 'latency', 'Median latency', 'ms'),
    figurePicture(served, 'p99Ms', 'latency-p99', 'Latency that 99 of 100 keep to', 'ms'),
    figurePicture(
      served,
      'cpuSecondsPer1000',
      'cpu',
      'CPU of all servers for 1,000 operations',
      's',
    ),
    results.scenarios.flatMap(({ measures }) => measures.flatMap(linePicture)),
  ]
  return pictures.flat()
}

function ratioPicture(cells: readonly CellResult[]): Picture {
  const title = 'Operations a second, times Apache ZooKeeper’s'
  const rows = cells.map((cell) => ({ label: labelOf(cell), dots: ratiosIn(cell) }))
  const axis = 'right of the line: more than Apache ZooKeeper; whiskers: all rounds'
  return { file: 'ratios.svg', title, svg: dotPlot({ title, axis, rows, reference: 1 }) }
}

const ratiosIn = (cell: CellResult): Dot[] =>
  Object.keys(cell.runs).flatMap((series) => {
    const ratio = series === 'apache' ? undefined : ratioOf(cell, series)
    return ratio === undefined ? [] : [dotOf(series, ratio)]
  })

/** A figure of every target, of the shapes that say most: one alone, and many. */
function figurePicture(
  cells: readonly CellResult[],
  figure: keyof Run,
  name: string,
  told: string,
  unit: string,
): Picture[] {
  const chosen = cells.filter(
    ({ sessions, window }) => sessions * window === 1 || sessions * window === 500,
  )
  if (chosen.length === 0) return []
  const rows = chosen.map((cell) => ({
    label: labelOf(cell),
    dots: Object.entries(cell.runs).map(([series, runs]) =>
      dotOf(series, spreadOf(figures(runs, figure))),
    ),
  }))
  return [{ file: `${name}.svg`, title: told, svg: dotPlot({ title: told, axis: unit, rows }) }]
}

const dotOf = (
  series: string,
  { median, low, high }: { median: number; low: number; high: number },
): Dot => ({ series, value: median, low, high })

const labelOf = ({ operation, bytes, sessions, window }: Cell): string =>
  `${operation} ${toldBytes(bytes)}, ${sessions} × ${window}`

function linePicture({ name, title, unit, axis, points }: Measure): Picture[] {
  if (points.length < 2) return []
  const targets = [...new Set(points.flatMap(({ values }) => Object.keys(values)))]
  const series = targets.map((target) => ({
    name: target,
    points: points.flatMap(({ x, values }) => {
      const all = values[target]
      if (all === undefined) return []
      const { median, low, high } = spreadOf(all)
      return [{ x, value: median, low, high }]
    }),
  }))
  const svg = linePlot({ title, xAxis: axis, yAxis: unit, series })
  return [{ file: `${name}.svg`, title, svg }]
}
