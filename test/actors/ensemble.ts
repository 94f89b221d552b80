/** The ensemble of a test file as its tests see it: members by number, session actors by name, clients over WebSockets. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env as bindings, exports } from 'cloudflare:workers'
import { afterEach } from 'vitest'
import type { Env } from '../../src/actors/env.ts'
import { memberStub, sessionActorStub } from '../../src/actors/env.ts'
import type { MemberStatus } from '../../src/actors/member-status.ts'
import { SessionStore } from '../../src/actors/session-store.ts'
import { type Client, type ClientOptions, connect, type Dial } from '../../src/client/index.ts'
import { asSid } from '../../src/core/shared/units.ts'

declare global {
  namespace Cloudflare {
    interface GlobalProps {
      mainModule: typeof import('../../src/worker.ts')
    }
  }
}

export const env = bindings as unknown as Env
export const tickMs = 200
const ensemble = 'main'

export const memberOf = (sid: number) => memberStub(env, ensemble, asSid(sid))
export const statusOf = async (sid: number): Promise<MemberStatus> => memberOf(sid).status()

/** The actor that holds a session. */
export function actorOf(session: bigint) {
  const bits = BigInt.asUintN(64, session)
  return sessionActorStub(env, `${ensemble}/session/${bits >> 56n}.${(bits >> 40n) & 0xffffn}`)
}

/** Asks again and again until the answer is no longer undefined or false. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = 10_000,
): Promise<T> {
  const deadline = Date.now() + withinMs
  let last: unknown
  while (Date.now() < deadline) {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer
    } catch (fault) {
      last = fault
    }
    await pause(20)
  }
  throw new Error(`waited ${withinMs} ms for ${what}`, { cause: last })
}

export const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))

export interface Formed {
  readonly leader: number
  /** One of the two who follow. */
  readonly follower: number
  readonly epoch: number
}

/** Waits until all three members serve under one leader. */
export const formed = (): Promise<Formed> =>
  until('an ensemble of one leader and two followers', async () => {
    const members = await Promise.all([1, 2, 3].map(statusOf))
    const [leader, second] = members.filter(({ role }) => role === 'leader')
    const follower = members.find(({ role }) => role === 'follower')
    if (leader === undefined || second !== undefined || follower === undefined) return undefined
    const agree = members.every(
      (one) => one.isServing && one.leader === leader.sid && one.epoch === leader.epoch,
    )
    return agree ? { leader: leader.sid, follower: follower.sid, epoch: leader.epoch } : undefined
  })

/** A member's actor dies as in a crash, and is back when this resolves. */
export async function crash(sid: number): Promise<void> {
  await memberOf(sid)
    .abort()
    .catch(() => undefined)
  await statusOf(sid)
}

/** Waits until the actor of a session has written down what hibernation would lose. */
export const rested = (session: bigint): Promise<unknown> =>
  until('the actor to save', () =>
    runInDurableObject(actorOf(session), (_, { storage }) =>
      new SessionStore(storage).survivors().some((row) => row.session === session),
    ),
  )

/** The actor of a session sleeps: its memory is gone, its sockets stay. */
export async function hibernate(session: bigint): Promise<void> {
  await rested(session)
  await evictDurableObject(actorOf(session), { webSockets: 'hibernate' })
}

/** The actor of a session dies as in a crash: its memory and its sockets are gone. */
export async function crashActor(session: bigint): Promise<void> {
  const end = runInDurableObject(actorOf(session), (_, state) => state.abort('a crash'))
  await end.catch(() => undefined)
}

/** A WebSocket to the Worker, accepted. */
export async function upgrade(query = ''): Promise<WebSocket> {
  const response = await exports.default.fetch(`http://host/session${query}`, {
    headers: { Upgrade: 'websocket' },
  })
  const socket = response.webSocket
  if (socket === null) throw new Error(`${response.status}: ${await response.text()}`)
  socket.binaryType = 'arraybuffer'
  socket.accept()
  return socket
}

/** How the TypeScript client reaches the Worker from within it. */
export const inside: Dial = (url, events) => {
  let socket: WebSocket | undefined
  let over = false
  const end = (reason: string): void => {
    if (over) return
    over = true
    events.ended(reason)
  }
  const open = async (): Promise<void> => {
    socket = await upgrade(new URL(url).search)
    socket.addEventListener('message', ({ data }) => {
      if (over) return
      events.receive(
        typeof data === 'string' ? new Uint8Array(0) : new Uint8Array(data as ArrayBuffer),
      )
    })
    socket.addEventListener('close', ({ code, reason }) => end(`closed: ${code} ${reason}`))
    socket.addEventListener('error', () => end('the WebSocket failed'))
    if (over) socket.close()
    else events.opened()
  }
  open().catch((fault: unknown) => end(String(fault)))
  return {
    send: (frames) => socket?.send(frames as Uint8Array<ArrayBuffer>),
    ping() {
      socket?.send('ping')
      return true
    },
    abort() {
      over = true
      socket?.close()
    },
  }
}

const clients: Client[] = []

/** A client that is closed behind the test. */
export function open(options: ClientOptions = {}): Client {
  const retryDelayMs = { first: 50, max: 200 }
  const client = connect('ws://host/session', {
    transport: inside,
    timeoutMs: 20_000,
    retryDelayMs,
    ...options,
  })
  clients.push(client)
  return client
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
})

export const textOf = (data: Uint8Array | null): string | null =>
  data && new TextDecoder().decode(data)
