/**
 * A TCP client: the port tells the member, and in a cluster the instance does. Four-letter words are answered here; a session's bytes go to the actor that
 * holds it, which the session id in the ConnectRequest names.
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
import { log } from '../actors/log.ts'
import { writePreamble } from '../actors/tcp-connection.ts'
import { limits } from '../core/shared/limits.ts'
import type { Settings } from '../core/shared/settings.ts'
import { asSid, type Sid } from '../core/shared/units.ts'
import { type Opening, openingOf } from '../core/wire/opening.ts'
import { answerWord } from './four-letter.ts'
import { roomyActor } from './place.ts'

/** Serves one TCP connection until either side closes it. */
export async function connect(socket: Socket, env: Env): Promise<void> {
  const settings = settingsOf(env)
  const { localAddress, remoteAddress } = await socket.opened
  const port = Number(localAddress?.split(':').at(-1))
  const sid = instanceOf(env) ?? asSid(port - settings.zkPort + 1)
  try {
    if (!mayBeMember(settings, sid)) throw new Error(`port ${port} belongs to no member`)
    const opening = await withDeadline(readOpening(socket), limits.handshakeMs, 'handshake')
    if (opening === undefined) return await close(socket)
    if (opening.type === 'word') return await answer(socket, env, settings, sid, opening.word)
    const { bytes, request } = opening
    await pass(socket, env, settings, sid, remoteAddress ?? '', request.sessionId, bytes)
  } catch (fault) {
    // One client's trouble is its own: the connection ends, and the reason is written down.
    log('connect.failed', { port, why: String(fault) })
    await close(socket)
  }
}

/** Everything up to the whole ConnectRequest, or to a four-letter word; undefined for bytes that are neither. */
async function readOpening(
  socket: Socket,
): Promise<(Opening & { readonly bytes: Uint8Array }) | undefined> {
  const reader = (socket.readable as ReadableStream<Uint8Array>).getReader()
  let bytes = new Uint8Array(0)
  try {
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return undefined
      bytes = bytes.length === 0 ? value.slice() : appended(bytes, value)
      const opening = openingOf(bytes)
      if (opening !== 'more') return opening && { ...opening, bytes }
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

async function pass(
  socket: Socket,
  env: Env,
  settings: Settings,
  sid: Sid,
  address: string,
  session: bigint,
  bytes: Uint8Array,
): Promise<void> {
  const actor =
    session === 0n
      ? await roomyActor(env, settings, sid)
      : actorOfSession(settings.ensemble, session)
  if (actor === undefined) throw new Error('every session actor is full')
  const upstream = sessionActorStub(env, actor).connect('session:2181')
  // Reading back begins first: the streams hold nothing, so a write waits for its reader.
  const back = upstream.readable.pipeTo(socket.writable)
  const writer = (upstream.writable as WritableStream<Uint8Array>).getWriter()
  await writer.write(appended(writePreamble({ member: sid, address }), bytes))
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
