/** docs/conformance.md, printed from the map. Whoever writes it has seen the tests pass. */
import type { Row, Section } from './row.ts'
import { testName } from './test-name.ts'

export function pageOf(sections: readonly Section[]): string {
  const rows = sections.flatMap((section) => Object.values(section.rows))
  return [
    '# Conformance',
    '',
    'What a client of Apache ZooKeeper can rely on here, row by row, as it is seen from outside.',
    '',
    'Tiers: **M** must hold for a service to call itself compatible with ZooKeeper, **S** should.',
    '**X** is beyond what ZooKeeper does.',
    '',
    'A row is held when the tests it names ran and passed; `npm run conformance` runs them and prints this page. Most of',
    '`test/e2e/conformance` plays one script on Durable Keeper and on Apache ZooKeeper 3.8.0 where one is installed; where 3.8.0',
    'answers otherwise than 3.9 does, the script says both answers, and here it is as in 3.9. What only whole members show is',
    'seen by what they print, what is on their disks, and what clients are told; a `.txt` is a transcript of `test/traces`.',
    '',
    ...(['M', 'S', 'X'] as const).flatMap((tier) => countOf(tier, rows)),
    ...sections.flatMap(sectionLines),
    '',
  ].join('\n')
}

/** The line of each row, by its id. */
export function linesOf(page: string): ReadonlyMap<string, string> {
  const lines = page.split('\n').filter((line) => /^\| [A-Z]\d\d \|/.test(line))
  return new Map(lines.map((line) => [line.slice(2, 5), line]))
}

function countOf(tier: Row['tier'], rows: readonly Row[]): readonly string[] {
  const ofTier = rows.filter((row) => row.tier === tier)
  if (ofTier.length === 0) return []
  const held = ofTier.filter(({ shownBy }) => !('notHeld' in shownBy))
  return [`- ${tier}: ${held.length} of ${ofTier.length} rows are held.`]
}

const sectionLines = ({ title, rows }: Section): readonly string[] => [
  '',
  `## ${title}`,
  '',
  '| row | tier | capability | held | shown by, or why not |',
  '| --- | --- | --- | --- | --- |',
  ...Object.entries(rows).map(([id, { tier, capability, shownBy }]) =>
    'notHeld' in shownBy
      ? `| ${id} | ${tier} | ${capability} | no | ${shownBy.notHeld} |`
      : `| ${id} | ${tier} | ${capability} | yes | ${cellOf(shownBy)} |`,
  ),
]

/** The file of each test once, its tests behind it. */
function cellOf(shownBy: readonly string[]): string {
  const byFile = Map.groupBy(shownBy.map(testName), ({ file }) => file)
  return [...byFile]
    .map(([file, tests]) => {
      const titles = tests.map(({ titles: all }) => `“${all.join(' › ')}”`)
      return `\`${file}\`: ${titles.join(', ')}`
    })
    .join('; ')
    .replaceAll('|', '\\|')
}
