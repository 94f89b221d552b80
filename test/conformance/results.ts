/** What vitest’s JSON reporter wrote, and what it says of a test that a row names. */
import { readFileSync, writeFileSync } from 'node:fs'
import { isTitled, testName } from './test-name.ts'

export interface Ran {
  /** Absolute. */
  readonly file: string
  readonly describes: readonly string[]
  readonly title: string
  readonly status: string
}

/** As much of the reporter’s file as is read here. */
interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[]
      readonly title: string
      readonly status: string
    }[]
  }[]
}

export function readResults(files: readonly string[]): readonly Ran[] {
  return files.flatMap((file) => {
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report
    return report.testResults.flatMap(({ name, assertionResults }) =>
      assertionResults.map(({ ancestorTitles, title, status }) => ({
        file: name,
        describes: ancestorTitles,
        title,
        status,
      })),
    )
  })
}

/** For what is no test of vitest’s, and yet shows something. */
export function writeResults(
  to: string,
  file: string,
  shown: Readonly<Record<string, boolean>>,
): void {
  const assertionResults = Object.entries(shown).map(([title, isTrue]) => ({
    ancestorTitles: [],
    title,
    status: isTrue ? 'passed' : 'failed',
  }))
  const report: Report = { testResults: [{ name: file, assertionResults }] }
  writeFileSync(to, JSON.stringify(report))
}

/** What is wrong with a test that is said to show something; undefined when it ran and passed. */
export function faultOf(shownBy: string, results: readonly Ran[]): string | undefined {
  const { file, titles } = testName(shownBy)
  const suffix = `/test/${file}`
  const isSuite = !file.endsWith('.test.ts')
  const runs = results.filter(
    (ran) => (isSuite || ran.file.endsWith(suffix)) && isTitled(titles, ran.describes, ran.title),
  )
  if (runs.length === 0) return 'is not among the results'
  const failed = runs.find(({ status }) => status === 'failed')
  if (failed !== undefined) return `failed: ${[...failed.describes, failed.title].join(' › ')}`
  // What Apache’s own server does shows nothing of ours.
  const ours = runs.filter(({ describes }) => !describes.some((title) => apaches.test(title)))
  if (ours.some(({ status }) => status === 'passed')) return undefined
  return 'was left out'
}

const apaches = /^Apache ZooKeeper|against (zookeeper|Apache)/
