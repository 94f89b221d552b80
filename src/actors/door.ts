/**
 * The way into a member from another instance of a cluster.
 *
 * There the instance that first calls an actor nobody owns becomes its owner. Two members on one machine would die
 * together, so only instance N calls member N; everybody else knocks at its door. While the machine is down its member
 * is down, as a ZooKeeper server would be, and the call fails at once.
 */
import { WorkerEntrypoint } from 'cloudflare:workers'
import { isSecret } from './is-secret.ts'
import { type Env, instanceOf, memberStub, settingsOf } from './env.ts'

export class Door extends WorkerEntrypoint<Env> {
  /** Calls a method of the member behind this door. */
  knock(key: string, method: string, ...args: unknown[]): unknown {
    const sid = instanceOf(this.env)
    if (sid === undefined || !isSecret(key, this.env.CLUSTER_KEY))
      throw new Error('the door is shut')
    const member = memberStub(this.env, settingsOf(this.env).ensemble, sid) as unknown as Methods
    return member[method]?.(...args)
  }
}

type Methods = Record<string, ((...args: unknown[]) => unknown) | undefined>
