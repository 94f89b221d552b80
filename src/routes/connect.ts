/**
 * A TCP client, or the front with many. The port tells the member, or in a cluster the instance does, or the front.
 * Four-letter words are answered here; a session's bytes go to the actor that holds it, which the session id in the
 * ConnectRequest names.
 */
import { withDeadline } from '../actors/deadline.ts'
import {
  actorOfSession,
  type Env,
  instanceOf,
  mayBeMember,
  memberStub,
  sessionActorStub,
  settingsOf,
} from '../actors/env.ts'
import { isSecret } from '../actors/is-secret.ts'
import { log } from '../actors/log.ts'
import { type Preamble, writePreamble } from '../actors/tcp-connection.ts'
import { limits } from '../core/shared/limits.ts'
import type { Settings } from '../core/shared/settings.ts'
import { asSid, type Sid } from '../core/shared/units.ts'
import { openingOf } from '../core/wire/opening.ts'
import { type Preface, prefaceOf } from '../core/wire/trunk.ts'
import { answerWord } from './four-letter.ts'
import { roomyActor } from './place.ts'

/** Serves one TCP connection until either side closes it. */
export async function connect(socket: Socket, env: Env): Promise<void> {
  const settings = settingsOf(env)
  const { localAddress, remoteAddress } = await socket.opened
  const port = Number(localAddress?.split(':').at(-1))
  const client = {
    sid: instanceOf(env) ?? asSid(port - settings.zkPort + 1),
    address: remoteAddress ?? '',
  }
  try {
    const begun = await withDeadline(readBegin(socket), limits.handshakeMs, 'handshake')
    if (begun === undefined) await close(socket)
    else if (begun.preface === undefined) await serve(socket, env, settings, client, begun.bytes)
    else await serveFront(socket, env, settings, begun.preface, begun.bytes)
  } catch (fault) {
    // One client's trouble is its own: the connection ends, and the reason is written down.
    log('connect.failed', { port, why: String(fault) })
    await close(socket)
  }
}

interface TcpClient {
  readonly sid: Sid
  readonly address: string
}

/** The front speaks, for one client or for many. */
async function serveFront(
  socket: Socket,
  env: Env,
  settings: Settings,
  { secret, member, isTrunk, address, session }: Preface,
  rest: Uint8Array,
): Promise<void> {
  if (!isSecret(secret, env.FRONT_SECRET)) throw new Error('this is not our front')
  const sid = asSid(member)
  if (!isTrunk) return serve(socket, env, settings, { sid, address }, rest)
  requireMember(settings, sid)
  const actor = await actorFor(env, settings, sid, session)
  return pass(socket, env, actor, { member: sid, address, isTrunk }, rest)
}

/** One client: a four-letter word, or a session. */
async function serve(
  socket: Socket,
  env: Env,
  settings: Settings,
  { sid, address }: TcpClient,
  begin: Uint8Array,
): Promise<void> {
  requireMember(settings, sid)
  const opening = await withDeadline(readOpening(socket, begin), limits.handshakeMs, 'handshake')
  if (opening === undefined) return close(socket)
  if (opening.type === 'word') return answer(socket, env, settings, sid, opening.word)
  const actor = await actorFor(env, settings, sid, opening.request.sessionId)
  return pass(socket, env, actor, { member: sid, address, isTrunk: false }, opening.bytes)
}

function requireMember(settings: Settings, sid: Sid): void {
  if (!mayBeMember(settings, sid)) throw new Error(`there is no member ${sid}`)
}

/** The first bytes, and the preface if the front speaks; undefined: the stream ended before. */
async function readBegin(
  socket: Socket,
): Promise<{ readonly preface: Preface | undefined; readonly bytes: Uint8Array } | undefined> {
  return readUntil(socket, new Uint8Array(0), (bytes) => {
    const found = prefaceOf(bytes)
    if (found === 'more') return 'more'
    return { preface: found?.preface, bytes: found?.rest ?? bytes }
  })
}

/** Everything up to the whole ConnectRequest, or to a four-letter word; undefined for bytes that are neither. */
const readOpening = (socket: Socket, begin: Uint8Array) =>
  readUntil(socket, begin, (bytes) => {
    const opening = openingOf(bytes)
    return opening === 'more' ? 'more' : opening && { ...opening, bytes }
  })

/** Reads on until `tell` can tell. Undefined at the end of the stream too. */
async function readUntil<T>(
  socket: Socket,
  begin: Uint8Array,
  tell: (bytes: Uint8Array) => T | 'more' | undefined,
): Promise<T | undefined> {
  const reader = (socket.readable as ReadableStream<Uint8Array>).getReader()
  let bytes = begin
  try {
    for (;;) {
      const told = tell(bytes)
      if (told !== 'more') return told
      const { value, done } = await reader.read()
      if (done) return undefined
      bytes = bytes.length === 0 ? value.slice() : appended(bytes, value)
    }
  } finally {
    reader.releaseLock()
  }
}

async function answer(
  socket: Socket,
  env: Env,
  settings: Settings,
  sid: Sid,
  word: string,
): Promise<void> {
  const member = memberStub(env, settings.ensemble, sid)
  const text = await answerWord(word, settings.fourLetterWords, member)
  const writer = (socket.writable as WritableStream<Uint8Array>).getWriter()
  await writer.write(new TextEncoder().encode(text))
  await writer.close()
}

async function actorFor(env: Env, settings: Settings, sid: Sid, session: bigint): Promise<string> {
  if (session !== 0n) return actorOfSession(settings.ensemble, session)
  const actor = await roomyActor(env, settings, sid)
  if (actor === undefined) throw new Error('every session actor is full')
  return actor
}

async function pass(
  socket: Socket,
  env: Env,
  actor: string,
  preamble: Preamble,
  bytes: Uint8Array,
): Promise<void> {
  const upstream = sessionActorStub(env, actor).connect('session:2181')
  // Reading back begins first: the streams hold nothing, so a write waits for its reader.
  const back = upstream.readable.pipeTo(socket.writable)
  const writer = (upstream.writable as WritableStream<Uint8Array>).getWriter()
  await writer.write(appended(writePreamble(preamble), bytes))
  writer.releaseLock()
  const forth = socket.readable.pipeTo(upstream.writable)
  // The actor has the last word: when the client ends its side, or breaks off, the actor ends this one.
  await Promise.allSettled([back])
  await Promise.allSettled([upstream.close(), socket.close(), forth])
}

async function close(socket: Socket): Promise<void> {
  await socket.close().catch(() => undefined)
}

function appended(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(first.length + second.length)
  bytes.set(first)
  bytes.set(second, first.length)
  return bytes
}
