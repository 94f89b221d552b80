/** What a driver with many scenarios printed, a line `name: outcome` each. */
export const outcomes = (printed: string): ReadonlyMap<string, string> =>
  new Map(
    printed
      .trimEnd()
      .split('\n')
      .map((line) => {
        const colon = line.indexOf(': ')
        return [line.slice(0, colon), line.slice(colon + 2)]
      }),
  )
