/** The main table: what is asked × by how many sessions, with how many requests under way × how many bytes. */
import type { Work } from './generator.ts'
import {
  childrenWork,
  type CreateWork,
  createWork,
  echoWork,
  getWork,
  lockWork,
  mixWork,
  multiSetWork,
  setWork,
} from './works.ts'

export const operations = [
  'get',
  'set',
  'create',
  'mix',
  'children',
  'multi',
  'lock',
  'echo',
] as const
export type Operation = (typeof operations)[number]

export interface Shape {
  readonly sessions: number
  /** Requests that each session keeps under way. */
  readonly window: number
}

export interface Cell extends Shape {
  readonly operation: Operation
  readonly bytes: number
}

export const shapes: readonly Shape[] = [
  { sessions: 1, window: 1 },
  { sessions: 1, window: 100 },
  { sessions: 50, window: 1 },
  { sessions: 50, window: 10 },
  { sessions: 500, window: 1 },
]
export const sessionsMax = Math.max(...shapes.map(({ sessions }) => sessions))

const sizes = [100, 1024, 32 * 1024]
const sizesOf = (operation: Operation): readonly number[] =>
  operation === 'get' || operation === 'set' || operation === 'echo' ? sizes : [100]

/** Shape by shape, because sessions are opened once for a shape. */
export const cells: readonly Cell[] = shapes.flatMap((shape) =>
  operations.flatMap((operation) =>
    sizesOf(operation).map((bytes) => ({ ...shape, operation, bytes })),
  ),
)

/** `get/1KB/50x10` */
export const cellName = (cell: Cell): string =>
  `${cell.operation}/${toldBytes(cell.bytes)}/${shapeName(cell)}`

export const shapeName = ({ sessions, window }: Shape): string => `${sessions}x${window}`

export const toldBytes = (bytes: number): string =>
  bytes < 1024 ? `${bytes}B` : `${bytes / 1024}KB`

/**
 * The cells that any of a comma list means. `get`: every cell of it; `get/50x10`: those of it with that shape; `*`: all.
 * Throws for what means none.
 */
export function chooseCells(filter: string, among: readonly Cell[] = cells): readonly Cell[] {
  const chosen = new Set<Cell>()
  for (const term of filter.split(',').map((text) => text.trim())) {
    const words = term.split('/').filter((word) => word !== '*')
    const meant = among.filter((cell) => {
      const parts = cellName(cell).split('/')
      return words.every((word) => parts.includes(word))
    })
    if (meant.length === 0) {
      throw new Error(`no cell is named "${term}": the last is ${cellName(cells.at(-1) as Cell)}`)
    }
    for (const cell of meant) chosen.add(cell)
  }
  return among.filter((cell) => chosen.has(cell))
}

export const root = '/bench'
export const childrenPath = `${root}/children`
export const childrenCount = 100
/** Names are as `numbered` makes them. */
const childNameBytes = 10
export const locksPath = `${root}/locks`
export const multiSize = 10

/** Where the `nth` session reads and writes. */
export const nodePath = (nth: number): string => `${root}/node-${nth}`
export const multiPath = (nth: number, at: number): string => `${nodePath(nth)}/${at}`
export const createdPath = (nth: number): string => `${nodePath(nth)}/created`

/** What the `nth` session does. */
export function workOf({ operation, bytes }: Cell, nth: number): Work | CreateWork {
  const path = nodePath(nth)
  switch (operation) {
    case 'get':
      return getWork(path, bytes)
    case 'set':
      return setWork(path, bytes)
    case 'mix':
      return mixWork(path, bytes)
    case 'create':
      return createWork(createdPath(nth), bytes)
    case 'children':
      return childrenWork(childrenPath, childrenCount, childNameBytes)
    case 'multi':
      return multiSetWork(
        Array.from({ length: multiSize }, (_, at) => multiPath(nth, at)),
        bytes,
      )
    case 'lock':
      return lockWork(locksPath)
    case 'echo':
      return echoWork(bytes)
  }
}
