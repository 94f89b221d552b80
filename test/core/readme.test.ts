import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { clusterTable, commandTable, settingsTable } from '../../scripts/settings-table.ts'

const root = join(import.meta.dirname, '../..')

// `npm run settings-table` prints what belongs there.
describe.skipIf(!existsSync(join(root, 'README.md')))('the documents', () => {
  /** The formatter pads the columns. */
  const cells = (table: string): string[] =>
    table.split('\n').map((line) => line.replaceAll(/ +/g, ' ').replaceAll(/-+/g, '-'))

  it.each([
    ['README.md', 'every setting of an ensemble', settingsTable()],
    ['README.md', 'every variable of the two commands', commandTable()],
    ['docs/self-hosting.md', 'every variable of a cluster', clusterTable()],
  ])('%s tells %s as the code has it', (file, _, table) => {
    expect(cells(readFileSync(join(root, file), 'utf8'))).toEqual(
      expect.arrayContaining(cells(table)),
    )
  })
})
