/**
 * The lease of an instance that died, given back by who knows that it is dead: otherwise nobody, not even the same machine
 * started again, has its actors for the 20 seconds it still runs.
 *
 * workerd keeps `v1/nodes/ID.json` in the bucket, with its address and when it expires, under an ID that it draws at every
 * start; one that leaves in good order deletes it, and we do the same for one that could not. What a dead process had sent and the
 * bucket has not yet written hurts nobody: who takes an actor over writes it whole under a new epoch and reads nothing
 * later of the old one. For a process that lives it would be two at once, so it takes proof: the ID is that of a process which we
 * started, in this folder, and nothing listens at its address any more.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { AwsClient } from 'aws4fetch'
import { bareHost, type Cluster, ownPeer, peerAddress } from './cluster.ts'
import { isFree } from './ports.ts'

type Env = Readonly<Record<string, string | undefined>>

/** One request. A bucket that does not answer must not keep an instance from starting. */
const requestMs = 3000
/** How long workerd may take to have its first lease. */
const firstLeaseMs = 60_000
const pollMs = 500

export class Lease {
  readonly #nodes: Nodes
  readonly #address: string
  readonly #isOver: () => Promise<boolean>
  /** Holds the ID of the process that runs or ran in this folder. */
  readonly #file: string
  /** Of our address, and not the process's that is about to start. */
  #strangers: ReadonlySet<string> | undefined

  constructor(cluster: Cluster, nodes: Nodes, folder: string) {
    const own = ownPeer(cluster)
    this.#nodes = nodes
    this.#address = peerAddress(own)
    this.#isOver = () => isFree(own.port, bareHost(own))
    this.#file = join(folder, 'lease')
  }

  /** Before the runtime starts. */
  async begin(): Promise<void> {
    await this.giveBack()
    try {
      this.#strangers = new Set(await this.#ofThisAddress())
    } catch (fault) {
      console.log(`whose lease will be ours is not known: ${reasonOf(fault)}`)
    }
  }

  /** Gives back the lease of the process that this folder had last. Call it when that one is over, as far as you know. */
  async giveBack(): Promise<void> {
    try {
      const id = this.#noted()
      if (id === undefined) return
      if (!(await this.#isOver())) throw new Error(`something listens at ${this.#address}`)
      if (await this.#nodes.delete(id)) console.log(`the lease of the last life is given back`)
      rmSync(this.#file, { force: true })
    } catch (fault) {
      console.log(`the lease of the last life runs out by itself: ${reasonOf(fault)}`)
    }
  }

  /** Waits for the lease of the process that was started since `begin`, and writes down which it is. */
  async note(signal: AbortSignal): Promise<void> {
    const strangers = this.#strangers
    if (strangers === undefined) return
    try {
      for (let waitedMs = 0; waitedMs < firstLeaseMs; waitedMs += pollMs) {
        await delay(pollMs, undefined, { signal })
        const [own] = (await this.#ofThisAddress()).filter((id) => !strangers.has(id))
        if (own !== undefined) return writeFileSync(this.#file, own, { mode: 0o600 })
      }
    } catch (fault) {
      if (!signal.aborted) console.log(`whose lease is ours is not known: ${reasonOf(fault)}`)
    }
  }

  async #ofThisAddress(): Promise<readonly string[]> {
    const found = await this.#nodes.list()
    return found.filter(({ address }) => address === this.#address).map(({ id }) => id)
  }

  #noted(): string | undefined {
    try {
      const id = readFileSync(this.#file, 'utf8')
      return idPattern.test(id) ? id : undefined
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined // no life before
      throw error
    }
  }
}

const idPattern = /^[0-9a-f]+$/

interface Node {
  readonly id: string
  readonly address: string
}

/** What a cluster has in its bucket of its processes. */
export class Nodes {
  readonly #aws: AwsClient
  /** Of the bucket; no slash at the end. */
  readonly #url: string
  /** Of the cluster's own objects, with a slash at the end. */
  readonly #prefix: string

  private constructor(aws: AwsClient, url: string, prefix: string) {
    this.#aws = aws
    this.#url = url
    this.#prefix = prefix
  }

  /** Undefined where we have no way to the bucket: one that is none of S3's, or credentials that only the runtime knows. */
  static of({ bucket }: Cluster, env: Env): Nodes | undefined {
    const [, name, path = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(bucket) ?? []
    const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env
    if (name === undefined || !accessKeyId || !secretAccessKey) return undefined
    const region = env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || 'us-east-1'
    const endpoint = env['AWS_ENDPOINT_URL'] || `https://s3.${region}.amazonaws.com`
    const sessionToken = env['AWS_SESSION_TOKEN']
    const keys = { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) }
    const aws = new AwsClient({ ...keys, region, service: 's3', retries: 1 })
    const prefix = path.replace(/\/+$/, '')
    return new Nodes(
      aws,
      `${endpoint.replace(/\/+$/, '')}/${name}`,
      `${prefix === '' ? '' : `${prefix}/`}v1/nodes/`,
    )
  }

  async list(): Promise<readonly Node[]> {
    const query = `list-type=2&prefix=${encodeURIComponent(this.#prefix)}`
    const text = await (await this.#ask('GET', `?${query}`)).text()
    const ids = [...text.matchAll(/\/([0-9a-f]+)\.json<\/Key>/g)].map(([, id = '']) => id)
    const nodes = await Promise.all(ids.map((id) => this.#read(id)))
    return nodes.filter((node) => node !== undefined)
  }

  /** False: there was none. */
  async delete(id: string): Promise<boolean> {
    if ((await this.#read(id)) === undefined) return false
    await this.#ask('DELETE', this.#pathOf(id))
    return true
  }

  async #read(id: string): Promise<Node | undefined> {
    const answer = await this.#ask('GET', this.#pathOf(id), [404])
    if (answer.status === 404) return undefined
    const { address } = (await answer.json()) as { readonly address?: unknown }
    return typeof address === 'string' ? { id, address } : undefined
  }

  #pathOf(id: string): string {
    return `/${this.#prefix}${id}.json`
  }

  async #ask(method: string, path: string, alsoRight: readonly number[] = []): Promise<Response> {
    const signal = AbortSignal.timeout(requestMs)
    const answer = await this.#aws.fetch(`${this.#url}${path}`, { method, signal })
    if (answer.ok || alsoRight.includes(answer.status)) return answer
    throw new Error(`the bucket answers ${answer.status} to ${method} ${path}`)
  }
}

const reasonOf = (fault: unknown): string =>
  fault instanceof Error ? fault.message : String(fault)
