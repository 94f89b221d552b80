import { timingSafeEqual } from 'node:crypto'

/** Takes as long whatever was given. A secret that is not set is nobody's. */
export function isSecret(given: string, secret: string | undefined): boolean {
  if (secret === undefined || secret === '') return false
  const [a, b] = [new TextEncoder().encode(given), new TextEncoder().encode(secret)]
  return a.length === b.length && timingSafeEqual(a, b)
}
