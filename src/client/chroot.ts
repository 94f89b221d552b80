/** A subtree taken for the whole tree: what the application calls `/a` is `/app/a` at the server. */
export class Chroot {
  /** Empty: the tree is the server's own. */
  readonly #prefix: string

  /** Throws TypeError for what is no path of a node. */
  constructor(path: string) {
    const isPath = /^(\/[^/]+)+$/.test(path)
    if (!isPath && path !== '/') throw new TypeError(`chroot ${path} is no path of a node`)
    this.#prefix = path === '/' ? '' : path
  }

  get isWholeTree(): boolean {
    return this.#prefix === ''
  }

  /** Does prefixing keep this path inside? One without a slash would name a neighbour: `/app` + `le`. */
  holds(path: string): boolean {
    return this.isWholeTree || path.startsWith('/')
  }

  /** The server's name of what the application calls `path`. */
  outward(path: string): string {
    return path === '/' && !this.isWholeTree ? this.#prefix : this.#prefix + path
  }

  /** The application's name of what the server calls `path`; undefined for what is not in the subtree. */
  inward(path: string): string | undefined {
    if (path === this.#prefix) return '/'
    return path.startsWith(`${this.#prefix}/`) ? path.slice(this.#prefix.length) : undefined
  }
}
