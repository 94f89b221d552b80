import { createExecutionContext } from 'cloudflare:test'
import { expect, test } from 'vitest'
import { Door } from '../../src/actors/door.ts'
import { env, formed } from './ensemble.ts'

const key = 'a key that only the instances of a cluster know'
const doorOf = (changed: object) => new Door(createExecutionContext(), { ...env, ...changed })

test('[M4] a door opens to the key of its cluster only, and where there is no cluster to nobody', async () => {
  await formed()
  const door = doorOf({ INSTANCE: '2', CLUSTER_KEY: key })
  expect(await door.knock(key, 'status')).toMatchObject({ sid: 2 })
  for (const shut of [
    () => door.knock('another key', 'status'),
    () => door.knock('', 'status'),
    () => doorOf({ CLUSTER_KEY: key }).knock(key, 'status'),
    () => doorOf({ INSTANCE: '2' }).knock('', 'status'),
  ]) {
    expect(shut).toThrow('the door is shut')
  }
})
