import { expect, test } from 'vitest'
import { shrink } from './shrink.ts'

const everything = Array.from({ length: 100 }, (_, place) => place)

test('the shortest part that shows it is found', async () => {
  const needed = [3, 50, 51, 99]
  const shows = async (part: readonly number[]): Promise<boolean> =>
    needed.every((place) => part.includes(place))
  expect(await shrink(everything, shows, Infinity)).toEqual(needed)
})

test('when time is over, what is left so far is enough', async () => {
  const shows = async (part: readonly number[]): Promise<boolean> => part.includes(7)
  expect(await shrink(everything, shows, performance.now() - 1)).toEqual(everything)
})
