/** A test as a row names it: where it is written, and the titles that lead to it. */
export interface TestName {
  /** Below test/. */
  readonly file: string
  readonly titles: readonly string[]
}

export function testName(text: string): TestName {
  const [file = '', ...titles] = text.split(' › ')
  return { file, titles }
}

/** Is it this one that ran? Its last title is the test’s; the ones before stand for some of its describes, in order. */
export function isTitled(
  titles: readonly string[],
  describes: readonly string[],
  title: string,
): boolean {
  const [last = '', ...before] = titles.toReversed()
  if (!patternOf(last).test(title)) return false
  let rest = describes.toReversed()
  for (const name of before) {
    const at = rest.findIndex((describe) => patternOf(name).test(describe))
    if (at === -1) return false
    rest = rest.slice(at + 1)
  }
  return true
}

/** A placeholder stands for whatever is put there. */
const patternOf = (title: string): RegExp =>
  new RegExp(`^${title.split(placeholder).map(literal).join('.*')}$`, 's')

const placeholder = /%[sdifjo#]|\$\{[^}]*\}|\$[A-Za-z]\w*/
const literal = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
