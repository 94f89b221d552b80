/** What can be told about members from outside, whatever they run in. */
import { until } from './until.ts'

/** [Z1] Waits until all members that are up have one zxid, and with it one digest. */
export async function equalTrees(ensemble: {
  members(): Promise<readonly { readonly role: string }[]>
}): Promise<void> {
  await until('equal trees at equal zxids', async () => {
    const members = await ensemble.members()
    const seen = members as unknown as readonly { readonly zxid: string; readonly digest: string }[]
    return new Set(seen.map(({ zxid, digest }) => `${zxid} ${digest}`)).size === 1
  })
}

export interface ZabLine {
  readonly sid: number
  readonly line: string
}

/** What members said of elections, synchronization and broadcast, out of everything that was printed. */
export function zabLines(logs: string): readonly ZabLine[] {
  return logs
    .split('\n')
    .filter((text) => text.startsWith('{"event":"zab"') && text.endsWith('}'))
    .map((text) => JSON.parse(text) as ZabLine)
}
