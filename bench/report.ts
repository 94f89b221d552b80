/** The table of a run, for a terminal. */
import { cellName } from './cells.ts'
import { type CellResult, cpuRatioOf, figures, middle, ratioOf, type Results } from './results.ts'
import { median, spreadOf } from './statistics.ts'
import type { Run } from './stage.ts'

export function tableOf(results: Results): string {
  const rows = results.cells.flatMap((cell) =>
    Object.keys(cell.runs).map((target) => rowOf(cell, target)),
  )
  return aligned([
    [
      'cell',
      'target',
      '/s',
      'ratio',
      'p50 ms',
      'p99 ms',
      'CPU s/1000',
      'ratio',
      'MB',
      'errors',
      'others',
    ],
    ...rows,
  ])
}

export function measuresTable(results: Results): string {
  const rows = results.scenarios.flatMap(({ measures }) =>
    measures.flatMap((measure) =>
      measure.points.flatMap(({ x, values }) =>
        Object.entries(values).map(([target, all]) => [
          `${measure.name}${measure.axis === '' ? '' : ` ${x}`}`,
          target,
          toldFigure(median(all)),
          all.length < 2 ? '' : `[${all.map(toldFigure).join(' ')}]`,
          measure.unit,
        ]),
      ),
    ),
  )
  return aligned([['scenario', 'target', 'median', 'all', 'unit'], ...rows])
}

/** Three digits at least. */
export const toldFigure = (value: number): string =>
  value.toFixed(Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0)

export function runLine(cell: CellResult, target: string, run: Run): string {
  return (
    `${cellName(cell).padEnd(22)} ${target.padEnd(10)} ${run.perSecond.toFixed(0).padStart(8)}/s  ` +
    `p50 ${toldMs(run.p50Ms).padStart(6)}  p99 ${toldMs(run.p99Ms).padStart(6)} ms  ` +
    `${run.cpuSecondsPer1000.toFixed(3)} CPU s/1000  ${run.peakMemoryMb.toFixed(0)} MB` +
    (run.errors > 0 ? `  ${run.errors} ERRORS` : '') +
    (run.otherCores > 0.1 ? `  others used ${run.otherCores.toFixed(1)} cores` : '')
  )
}

/** Three digits, however small. */
export const toldMs = (ms: number): string =>
  ms.toFixed(ms < 1 ? 3 : ms < 10 ? 2 : ms < 100 ? 1 : 0)

function rowOf(cell: CellResult, target: string): string[] {
  const runs = cell.runs[target] ?? []
  const ratio = target === 'apache' ? undefined : ratioOf(cell, target)
  const cpuRatio = target === 'apache' ? undefined : cpuRatioOf(cell, target)
  return [
    cellName(cell),
    target,
    middle(runs, 'perSecond').toFixed(0),
    ratio === undefined
      ? ''
      : `${ratio.median.toFixed(2)} [${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)}]`,
    toldMs(middle(runs, 'p50Ms')),
    toldMs(middle(runs, 'p99Ms')),
    middle(runs, 'cpuSecondsPer1000').toFixed(3),
    cpuRatio?.toFixed(2) ?? '',
    spreadOf(figures(runs, 'peakMemoryMb')).high.toFixed(0),
    String(figures(runs, 'errors').reduce((sum, errors) => sum + errors, 0)),
    middle(runs, 'otherCores').toFixed(1),
  ]
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => (row[at] ?? '').length)),
  )
  return rows
    .map((row) =>
      row
        .map((text, at) => (at < 2 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
