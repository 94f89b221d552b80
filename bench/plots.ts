/** Two kinds of pictures, as SVG text: dots on a row each, and lines over an axis. */
import { LogScale } from './log-scale.ts'

export interface Dot {
  readonly series: string
  readonly value: number
  readonly low: number
  readonly high: number
}

export interface DotPlot {
  readonly title: string
  readonly axis: string
  readonly rows: readonly { readonly label: string; readonly dots: readonly Dot[] }[]
  /** A line through all rows, such as that of a ratio of 1. */
  readonly reference?: number
}

export interface LinePlot {
  readonly title: string
  readonly xAxis: string
  readonly yAxis: string
  readonly series: readonly { readonly name: string; readonly points: readonly LinePoint[] }[]
}

interface LinePoint extends Omit<Dot, 'series'> {
  readonly x: number
}

/** Told apart by those who see few colours too (Okabe and Ito). */
const palette = ['#d55e00', '#0072b2', '#009e73', '#cc79a7', '#56b4e9', '#e69f00']
const knownSeries = ['apache', 'serve', 'websocket', 'wrangler', 'echo', 'actor-echo']
const colourOf = (series: string): string =>
  palette[Math.max(0, knownSeries.indexOf(series)) % palette.length] as string

const width = 760
const rowHeight = 20
const left = 190
const right = 24
const top = 58
const bottom = 46

/** Values span orders of magnitude, so the axis is logarithmic. */
export function dotPlot({ title, axis, rows, reference }: DotPlot): string {
  const dots = rows.flatMap((row) => row.dots)
  const ends = [...dots.flatMap(({ low, high }) => [low, high]), reference ?? []].flat()
  const x = new LogScale(ends, left, width - right)
  const height = top + rows.length * rowHeight + bottom
  const series = [...new Set(dots.map((dot) => dot.series))]
  const yOf = (row: number): number => top + (row + 0.5) * rowHeight
  const marks = rows.flatMap(({ label, dots: own }, at) => [
    text(left - 10, yOf(at), label, 'end'),
    line(left, yOf(at), width - right, yOf(at), '#eeeeee'),
    ...own.flatMap((dot) => dotMarks(dot, x, yOf(at) + offsetOf(series, dot.series))),
  ])
  const referenceMark =
    reference === undefined
      ? []
      : [line(x.at(reference), top, x.at(reference), height - bottom, '#333333')]
  return picture(title, height, [
    ...xAxis(x, axis, top, height - bottom),
    ...referenceMark,
    ...marks,
    ...legend(series),
  ])
}

/** Both axes logarithmic: ten times more is as far everywhere. */
export function linePlot({ title, xAxis: xTold, yAxis, series }: LinePlot): string {
  const height = 360
  const edge = 70
  const points = series.flatMap((one) => one.points)
  const x = new LogScale(
    points.map((point) => point.x),
    edge,
    width - right,
  )
  const y = new LogScale(
    points.flatMap(({ low, high }) => [low, high]),
    height - bottom,
    top,
  )
  const lines = series.flatMap(({ name, points: own }) => [
    path(
      own.map((point) => [x.at(point.x), y.at(point.value)]),
      colourOf(name),
    ),
    ...own.flatMap((point) => [
      line(x.at(point.x), y.at(point.low), x.at(point.x), y.at(point.high), colourOf(name), 2),
      circle(
        x.at(point.x),
        y.at(point.value),
        colourOf(name),
        `${name}: ${told(point.value)} at ${told(point.x)}`,
      ),
    ]),
  ])
  const xTicks = [...new Set(points.map((point) => point.x))]
  return picture(title, height, [
    ...y
      .ticks()
      .flatMap((tick) => [
        line(edge, y.at(tick), width - right, y.at(tick), '#dddddd'),
        text(edge - 8, y.at(tick), told(tick), 'end'),
      ]),
    ...xTicks.map((tick) => text(x.at(tick), height - bottom + 16, told(tick), 'middle')),
    text((edge + width - right) / 2, height - 10, xTold, 'middle'),
    `<text x="16" y="${(top + height - bottom) / 2}" transform="rotate(-90 16 ${(top + height - bottom) / 2})" text-anchor="middle">${escaped(yAxis)}</text>`,
    ...lines,
    ...legend(series.map(({ name }) => name)),
  ])
}

/** 12,345 and 0.12 */
export const told = (value: number): string =>
  value.toLocaleString('en', { maximumSignificantDigits: value < 100 ? 2 : 4 })

function xAxis(x: LogScale, axis: string, from: number, to: number): string[] {
  const ticks = x
    .ticks()
    .flatMap((tick) => [
      line(x.at(tick), from, x.at(tick), to, '#dddddd'),
      text(x.at(tick), to + 16, told(tick), 'middle'),
    ])
  return [...ticks, text((left + width - right) / 2, to + 36, axis, 'middle')]
}

function dotMarks({ series, value, low, high }: Dot, x: LogScale, y: number): string[] {
  const colour = colourOf(series)
  return [
    line(x.at(low), y, x.at(high), y, colour, 2),
    circle(x.at(value), y, colour, `${series}: ${told(value)}, ${told(low)} to ${told(high)}`),
  ]
}

/** Dots of one row stand a little above each other. */
function offsetOf(series: readonly string[], name: string): number {
  return (series.indexOf(name) - (series.length - 1) / 2) * 5
}

function legend(series: readonly string[]): string[] {
  return series.flatMap((name, at) => [
    circle(left + at * 110, 40, colourOf(name), name),
    text(left + at * 110 + 10, 40, name, 'start'),
  ])
}

function picture(title: string, height: number, marks: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#222222">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="16" y="22" font-size="15" font-weight="600">${escaped(title)}</text>`,
    ...marks,
    '</svg>\n',
  ].join('\n')
}

const round = (value: number): string => String(Math.round(value * 10) / 10)

const line = (x1: number, y1: number, x2: number, y2: number, colour: string, thick = 1): string =>
  `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${colour}" stroke-width="${thick}"/>`

const circle = (x: number, y: number, colour: string, title: string): string =>
  `<circle cx="${round(x)}" cy="${round(y)}" r="4" fill="${colour}"><title>${escaped(title)}</title></circle>`

const text = (x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string =>
  `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" dominant-baseline="middle">${escaped(content)}</text>`

const path = (points: readonly (readonly [number, number])[], colour: string): string =>
  `<polyline points="${points.map(([x, y]) => `${round(x)},${round(y)}`).join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`

const escaped = (content: string): string =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
