import { expect, test } from 'vitest'
import { cellName, cells, chooseCells } from '../../bench/cells.ts'

const names = (filter: string): string[] => chooseCells(filter).map(cellName)

test('every cell has a name of its own, by which it is chosen alone', () => {
  for (const cell of cells) expect(chooseCells(cellName(cell))).toEqual([cell])
})

test('a part of a name means every cell that has it', () => {
  expect(chooseCells('*')).toEqual(cells)
  expect(names('mix')).toEqual([
    'mix/100B/1x1',
    'mix/100B/1x100',
    'mix/100B/50x1',
    'mix/100B/50x10',
    'mix/100B/500x1',
  ])
  expect(names('set/50x10')).toEqual(['set/100B/50x10', 'set/1KB/50x10', 'set/32KB/50x10'])
  expect(names('create/1x1, get/1KB/1x1')).toEqual(['get/1KB/1x1', 'create/100B/1x1'])
})

test('a name of nothing is refused', () => {
  expect(() => chooseCells('get,gte')).toThrow('no cell is named "gte"')
  expect(() => chooseCells('get/50x11')).toThrow('no cell is named "get/50x11"')
})
