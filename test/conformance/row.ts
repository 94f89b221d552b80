/**
 * One capability, seen from outside. A row is held by tests or says why it is not.
 *
 * A test is named `file › title`, or `file › describe › title`, as its source has it: the file below test/, a title with its
 * placeholders (`%s`, `$name`, `${name}`) where it has some. Tests of a suite that other files call are named by the file
 * they stand in.
 */
export interface Row {
  /** M: must hold for a service to call itself compatible; S: should; X: beyond ZooKeeper. */
  readonly tier: 'M' | 'S' | 'X'
  readonly capability: string
  readonly shownBy: readonly string[] | { readonly notHeld: string }
}

export interface Section {
  readonly title: string
  readonly rows: Readonly<Record<string, Row>>
}

export const held = (
  tier: Row['tier'],
  capability: string,
  ...shownBy: readonly [string, ...string[]]
): Row => ({ tier, capability, shownBy })

export const notHeld = (tier: Row['tier'], capability: string, reason: string): Row => ({
  tier,
  capability,
  shownBy: { notHeld: reason },
})

/** Of a file of test/e2e/conformance, whose titles begin with the ids of their rows. */
export const inFile =
  (file: string) =>
  (title: string): string =>
    `e2e/conformance/${file}.test.ts › ${title}`
