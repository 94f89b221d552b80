/** Tells who does what in the ensemble: as it forms, how to try it, and then every change. */
import { setTimeout as delay } from 'node:timers/promises'
import { DiskWatch } from './disk.ts'
import type { Options } from './options.ts'

/** One member in the answer of `GET /admin/members`; `down` is one that could not be reached. */
interface MemberReport {
  readonly sid: number
  readonly role: string
  readonly epoch: number
  readonly zxid: string
  /** Why it serves nobody until an operator decides. */
  readonly refusal?: string
  /** What was found damaged on its disk. */
  readonly damage?: { readonly why: string }
  readonly storage?: { readonly isDiskFull: boolean }
  /** It has caught up and answers clients. */
  readonly isServing?: boolean
}

const formingPollMs = 100
const formedPollMs = 1000

export async function tellMembers(options: Options, signal: AbortSignal): Promise<void> {
  const lastTold = new Map<number, string>()
  let isFormed = false
  const disk = new DiskWatch(options)
  while (!signal.aborted) {
    const members = await readMembers(options)
    for (const member of members ?? []) {
      const line = lineOf(member, options)
      if (lastTold.get(member.sid) === line) continue
      lastTold.set(member.sid, line)
      console.log(line)
    }
    // In a cluster what members keep is in the bucket.
    if (options.cluster === undefined) await tellDisk(await disk.look(), members ?? [], options)
    if (members !== undefined && !isFormed && isFormedBy(members)) {
      isFormed = true
      console.log(invitation(options))
    }
    await delay(isFormed ? formedPollMs : formingPollMs, undefined, { signal }).catch(
      () => undefined,
    )
  }
}

/** A member that was restarted must be told again. */
async function tellDisk(
  state: 'full' | 'free',
  members: readonly MemberReport[],
  options: Options,
): Promise<void> {
  const isKnown = members.every(
    ({ storage }) => storage === undefined || storage.isDiskFull === (state === 'full'),
  )
  if (isKnown) return
  await fetch(`${originOf(options)}/admin/disk/${state}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${options.adminToken}` },
    signal: AbortSignal.timeout(5000),
  }).catch(() => undefined) // told again with the next look
}

/** Undefined while the Worker does not answer. Asking wakes the members. */
async function readMembers(options: Options): Promise<readonly MemberReport[] | undefined> {
  try {
    const answer = await fetch(`${originOf(options)}/admin/members`, {
      headers: { authorization: `Bearer ${options.adminToken}` },
      signal: AbortSignal.timeout(5000),
    })
    if (!answer.ok) return undefined
    return ((await answer.json()) as { members: readonly MemberReport[] }).members
  } catch {
    return undefined
  }
}

/** An instance of a cluster that ends says so first: its member must not move to another instance. */
export async function leaveCluster(options: Options): Promise<void> {
  if (options.cluster === undefined) return
  await fetch(`${originOf(options)}/admin/leave`, {
    method: 'POST',
    headers: { authorization: `Bearer ${options.adminToken}` },
    signal: AbortSignal.timeout(1000),
  }).catch(() => undefined) // it has ended already
}

/** Everybody has found a place. */
const isFormedBy = (members: readonly MemberReport[]): boolean =>
  members.some(({ role }) => role === 'leader' || role === 'standalone') &&
  members.every(({ isServing }) => isServing === true)

const placeless: ReadonlySet<string> = new Set(['looking', 'recovering', 'refusing', 'down'])

function lineOf({ sid, role, epoch, refusal, damage }: MemberReport, options: Options): string {
  const place = placeless.has(role) ? '' : `epoch ${epoch}`
  const trouble = role === 'recovering' ? damage?.why : refusal
  const told = trouble === undefined ? '' : `  ${trouble}`
  return `member ${sid}  ${role.padEnd(10)}  ${place.padEnd(9)}  ${whereIs(sid, options)}${told}`
}

function whereIs(sid: number, options: Options): string {
  const { cluster, zkPorts } = options
  if (cluster === undefined) return `tcp ${reachable(options)}:${zkPorts[sid - 1]}`
  const isHere = sid === cluster.instance
  return isHere ? `tcp ${reachable(options)}:${zkPorts[0]}` : `at ${cluster.peers[sid - 1]?.host}`
}

function invitation(options: Options): string {
  const origin = originOf(options)
  const servers = options.zkPorts.map((port) => `${reachable(options)}:${port}`).join(',')
  return `
The ensemble is formed. Try it:
  zkCli.sh -server ${servers}
  WebSocket  ${origin.replace('http', 'ws')}/session  (binary messages of ZooKeeper frames)
  curl -H 'Authorization: Bearer ${options.adminToken}' ${origin}/admin/members
Ctrl-C ends it.
`
}

const originOf = (options: Options): string => `http://${reachable(options)}:${options.httpPort}`

/** The address to connect to: listening everywhere is no place to go to. */
function reachable({ bindAddress }: Options): string {
  if (bindAddress === '0.0.0.0') return '127.0.0.1'
  if (bindAddress === '::') return '[::1]'
  return bindAddress.includes(':') ? `[${bindAddress}]` : bindAddress
}
