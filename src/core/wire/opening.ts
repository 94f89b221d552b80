/**
 * How a TCP client begins: with a four-letter word, or with the frame of its ConnectRequest. Whoever takes TCP
 * connections must know which, and to whose session the rest belongs, before it can pass them on.
 */
import { Reader } from '../jute/codec.ts'
import { ConnectRequest } from '../jute/records.ts'
import { limits } from '../shared/limits.ts'
import { settingRows } from '../shared/settings.ts'

export type Opening =
  | { readonly type: 'word'; readonly word: string }
  | { readonly type: 'connect'; readonly request: ConnectRequest }

/** Every four-letter word ZooKeeper knows: four bytes that are one of these are no length. */
const words: ReadonlySet<string> = new Set(settingRows.FOUR_LETTER_WORDS.allowed.split(' '))

export const isFourLetterWord = (text: string): boolean => words.has(text)

/**
 * What the first bytes of a connection say; `more`: it takes more of them to tell; undefined: nothing a client may begin
 * with. Throws MalformedFrame for a frame that is no ConnectRequest.
 */
export function openingOf(bytes: Uint8Array): Opening | 'more' | undefined {
  if (bytes.length < 4) return 'more'
  const word = String.fromCharCode(...bytes.subarray(0, 4))
  if (words.has(word)) return { type: 'word', word }
  const length = new Reader(bytes).int()
  if (length < 1 || length > limits.connectRequestBytesMax) return undefined
  if (bytes.length < 4 + length) return 'more'
  return {
    type: 'connect',
    request: ConnectRequest.read(new Reader(bytes.subarray(4, 4 + length))),
  }
}
