/**
 * A bucket as S3 keeps it, in memory: put, get, head, delete and list, and what a cluster lives by, writes and deletes on
 * the condition that an object still is (If-Match) or is not there (If-None-Match: *). Requests are not authenticated.
 *
 * Run as a program it prints its port and lives until its standard input ends, so that it dies with whoever started it.
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

interface StoredObject {
  readonly bytes: Buffer
  readonly etag: string
  readonly modified: Date
}

interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
}

/** Objects of one answer to a list request, as S3 has it. */
const listMax = 1000

export class Bucket {
  readonly #objects = new Map<string, StoredObject>()
  readonly #server: Server
  #puts = 0

  constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response))
    this.#server.keepAliveTimeout = 60_000
  }

  /** Its port on this machine. */
  listen(port = 0): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, '127.0.0.1', () =>
        resolve((this.#server.address() as AddressInfo).port),
      )
    })
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body: Buffer[] = []
    try {
      for await (const chunk of request) body.push(chunk as Buffer)
    } catch {
      return // who asked was killed before all of it was said
    }
    const { status, headers = {}, body: said = '' } = this.answer(request, Buffer.concat(body))
    const length = request.method === 'HEAD' ? {} : { 'content-length': Buffer.byteLength(said) }
    response.writeHead(status, { ...length, ...headers })
    response.end(request.method === 'HEAD' ? undefined : said)
  }

  answer({ method, url = '', headers }: IncomingMessage, body: Buffer): Answer {
    const { pathname, searchParams } = new URL(url, 'http://bucket')
    const [, name = '', ...rest] = pathname.split('/')
    const key = decodeURIComponent(rest.join('/'))
    if (key === '') {
      if (method === 'GET') return this.#list(name, searchParams)
      if (method === 'POST' && searchParams.has('delete')) return this.#deleteMany(name, body)
      return failure(501, 'NotImplemented')
    }
    const path = `${name}/${key}`
    const unmet = this.#unmet(path, method, headers)
    if (unmet !== undefined) return unmet
    if (method === 'PUT') return this.#put(path, body)
    if (method === 'DELETE') {
      this.#objects.delete(path)
      return { status: 204 }
    }
    if (method === 'GET' || method === 'HEAD') return this.#get(path, headers.range)
    return failure(501, 'NotImplemented')
  }

  /** The answer to a condition that does not hold. */
  #unmet(
    path: string,
    method: string | undefined,
    headers: IncomingMessage['headers'],
  ): Answer | undefined {
    const found = this.#objects.get(path)
    const wanted = headers['if-match']
    const unwanted = headers['if-none-match']
    if (wanted !== undefined) {
      if (found === undefined) return failure(method === 'PUT' ? 404 : 412, 'NoSuchKey')
      if (wanted !== '*' && wanted !== found.etag) return failure(412, 'PreconditionFailed')
    }
    if (unwanted !== undefined && found !== undefined) {
      const isSame = unwanted === '*' || unwanted === found.etag
      if (isSame) return method === 'PUT' ? failure(412, 'PreconditionFailed') : { status: 304 }
    }
    return undefined
  }

  #put(path: string, body: Buffer): Answer {
    // Unlike S3’s, an ETag of ours never comes back for the same bytes: a condition on one write is about that write.
    this.#puts += 1
    const etag = `"${createHash('md5').update(body).digest('hex')}-${this.#puts}"`
    this.#objects.set(path, { bytes: body, etag, modified: new Date() })
    return { status: 200, headers: { etag } }
  }

  #get(path: string, range: string | undefined): Answer {
    const found = this.#objects.get(path)
    if (found === undefined) return failure(404, 'NoSuchKey')
    const { bytes, etag, modified } = found
    const headers = { etag, 'last-modified': modified.toUTCString(), 'accept-ranges': 'bytes' }
    const asked = /^bytes=(\d*)-(\d*)$/.exec(range ?? '')
    if (asked === null) {
      return {
        status: 200,
        headers: { ...headers, 'content-length': `${bytes.length}` },
        body: bytes,
      }
    }
    const [, from = '', to = ''] = asked
    const first = from === '' ? Math.max(0, bytes.length - Number(to)) : Number(from)
    const last =
      from === '' || to === '' ? bytes.length - 1 : Math.min(Number(to), bytes.length - 1)
    if (first > last) return failure(416, 'InvalidRange')
    return {
      status: 206,
      headers: {
        ...headers,
        'content-range': `bytes ${first}-${last}/${bytes.length}`,
        'content-length': `${last - first + 1}`,
      },
      body: bytes.subarray(first, last + 1),
    }
  }

  #list(name: string, query: URLSearchParams): Answer {
    const prefix = query.get('prefix') ?? ''
    const delimiter = query.get('delimiter') ?? ''
    const after = query.get('continuation-token') ?? query.get('start-after') ?? ''
    const most = Math.min(Number(query.get('max-keys') ?? listMax), listMax)
    const entries = new Map<string, StoredObject | undefined>()
    for (const [path, object] of this.#objects) {
      if (!path.startsWith(`${name}/${prefix}`)) continue
      const key = path.slice(name.length + 1)
      const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
      if (cut < 0) entries.set(key, object)
      else entries.set(key.slice(0, cut + delimiter.length), undefined)
    }
    const sorted = [...entries].filter(([key]) => key > after).sort(([a], [b]) => (a < b ? -1 : 1))
    const page = sorted.slice(0, most)
    const isTruncated = sorted.length > page.length
    const told = page.map(([key, object]) =>
      object === undefined
        ? `<CommonPrefixes><Prefix>${escaped(key)}</Prefix></CommonPrefixes>`
        : `<Contents><Key>${escaped(key)}</Key><LastModified>${object.modified.toISOString()}</LastModified>` +
          `<ETag>${escaped(object.etag)}</ETag><Size>${object.bytes.length}</Size></Contents>`,
    )
    const next = isTruncated
      ? `<NextContinuationToken>${escaped(page.at(-1)?.[0] ?? '')}</NextContinuationToken>`
      : ''
    return xml(
      200,
      `<ListBucketResult><Name>${name}</Name><Prefix>${escaped(prefix)}</Prefix><KeyCount>${page.length}</KeyCount>` +
        `<MaxKeys>${most}</MaxKeys><IsTruncated>${isTruncated}</IsTruncated>${next}${told.join('')}</ListBucketResult>`,
    )
  }

  #deleteMany(name: string, body: Buffer): Answer {
    const keys = [...body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => key ?? '')
    for (const key of keys) this.#objects.delete(`${name}/${unescaped(key)}`)
    const told = keys.map((key) => `<Deleted><Key>${key}</Key></Deleted>`)
    return xml(200, `<DeleteResult>${told.join('')}</DeleteResult>`)
  }
}

const xml = (status: number, body: string): Answer => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?>${body}`,
})

const failure = (status: number, code: string): Answer =>
  xml(status, `<Error><Code>${code}</Code></Error>`)

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

const unescaped = (text: string): string =>
  text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&amp;', '&')

if (import.meta.main) {
  const bucket = new Bucket()
  console.log(await bucket.listen(Number(process.argv[2] ?? 0)))
  process.stdin.resume().on('end', () => process.exit())
}
