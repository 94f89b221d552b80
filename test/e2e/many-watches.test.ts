/** 100,000 watches of one session: set, fired, set again after a cut, after a member's restart, and behind hibernation. */
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Client, connect, step, type WatchEvent } from '../../src/client/index.ts'
import { tcp } from '../../src/client/node-tcp.ts'
import { type Dial, type Transport, webSocket } from '../../src/client/transport.ts'
import { type Ensemble, startEnsemble } from '../support/ensemble.ts'
import { until } from '../support/until.ts'

const count = 100_000
const pathOf = (at: number): string => `/many/watched-node-${String(at).padStart(6, '0')}`

let ensemble: Ensemble
let writer: Client
beforeAll(async () => {
  ensemble = await startEnsemble({ env: { TICK_TIME: '1000' } })
  writer = connect(`tcp://127.0.0.1:${ensemble.zkPorts[0]}`, { transport: tcp })
  await writer.create('/many')
  for (let from = 0; from < count; from += 1000) {
    await writer.multi(Array.from({ length: 1000 }, (_, at) => step.create(pathOf(from + at))))
  }
})
afterAll(async () => {
  await writer?.close()
  await ensemble?.stop()
})

/** Carries bytes as `dial` does, until it is cut. */
function cuttable(dial: Dial): { readonly dial: Dial; cut(): void } {
  let last: { readonly transport: Transport; readonly ended: (reason: string) => void } | undefined
  return {
    dial(url, events) {
      const transport = dial(url, events)
      last = { transport, ended: (reason) => events.ended(reason) }
      return transport
    },
    cut() {
      last?.transport.abort()
      last?.ended('cut by the test')
    },
  }
}

const carriers = [
  { name: 'TCP', dial: tcp, url: () => `tcp://127.0.0.1:${ensemble.zkPorts[1]}` },
  { name: 'WebSocket', dial: webSocket, url: () => ensemble.webSocketUrl },
] as const

describe.each(carriers)('100,000 data watches over $name', ({ name, dial, url }) => {
  const carrier = cuttable(dial)
  const events: WatchEvent[] = []
  const watch = (event: WatchEvent): void => void events.push(event)
  let client: Client
  beforeAll(async () => {
    client = connect(url(), {
      transport: carrier.dial,
      timeoutMs: 20_000,
      ...(name === 'WebSocket' && { member: 2 }),
    })
    await client.ready()
  })
  afterAll(() => client?.close())

  /** Everything that was on its way has come: what is sent behind it is answered behind it. */
  async function changeAndHear(paths: readonly string[]): Promise<readonly string[]> {
    for (const path of paths) await writer.set(path, 'changed')
    await client.sync()
    return events.splice(0).map(({ type, path }) => `${type} ${path}`)
  }

  it('are set, and a change is told once', async () => {
    const before = residentBytes()
    const since = performance.now()
    for (let from = 0; from < count; from += 5000) {
      await Promise.all(
        Array.from({ length: 5000 }, (_, at) => client.get(pathOf(from + at), { watch })),
      )
    }
    const tookMs = performance.now() - since
    expect(await watchesAt(2)).toBe(count)
    expect(await changeAndHear([pathOf(77)])).toEqual([`dataChanged ${pathOf(77)}`])
    expect(await changeAndHear([pathOf(77)])).toEqual([])
    const after = residentBytes()
    console.log(
      `${count} watches over ${name} in ${tookMs.toFixed(0)} ms: workerd had ${mb(before)}, has ${mb(after)}`,
    )
    expect(after - before).toBeLessThan(400 * 1024 * 1024)
  })

  it('are set again after a cut, in several frames, and what was missed is told', async () => {
    carrier.cut()
    await writer.set(pathOf(5), 'meanwhile')
    await until('the client back', () => client.state === 'connected')
    await client.sync()
    expect(events.splice(0).map(({ path }) => path)).toEqual([pathOf(5)])
    expect(await watchesAt(2)).toBe(count - 2)
    expect(await changeAndHear([pathOf(5), pathOf(6)])).toEqual([`dataChanged ${pathOf(6)}`])
  })

  it('are set again when their member restarts', async () => {
    const id = client.session?.id
    await ensemble.restartMember(2)
    const since = performance.now()
    await until('the watches at their member again', async () => {
      return (await ensemble.leader()) !== undefined && (await watchesAt(2)) === count - 3
    })
    console.log(
      `re-armed over ${name} ${(performance.now() - since).toFixed(0)} ms after a restart`,
    )
    await until('the client back', () => client.state === 'connected')
    await until('the writer back', () => writer.sync().then(() => true))
    expect(await changeAndHear([pathOf(5), pathOf(7)])).toEqual([`dataChanged ${pathOf(7)}`])
    expect(client.session?.id).toBe(id)
    console.log(`workerd has ${mb(residentBytes())}`)
  })
})

async function watchesAt(sid: number): Promise<number> {
  const members = (await ensemble.members()) as unknown as { sid: number; watches: number }[]
  return members.find((one) => one.sid === sid)?.watches ?? -1
}

/** Memory of all that the command started. */
function residentBytes(): number {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
    } catch {
      // It ended while we looked.
    }
  }
  const isOurs = (pid: number): boolean =>
    pid === ensemble.pid || (pid > 1 && isOurs(parents.get(pid) ?? 0))
  let sum = 0
  for (const pid of parents.keys()) {
    if (!isOurs(pid)) continue
    const command = readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
    if (command === 'workerd') sum += pages * 4096
  }
  return sum
}

const mb = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MB`
