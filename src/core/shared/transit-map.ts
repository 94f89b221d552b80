/**
 * A Map for what comes and goes by the thousand a second.
 *
 * V8 never uses the place of a deleted entry again: a map that is full of them gets a new table, and the old table keeps a
 * reference to the new one. Let one such table have grown old: dead as it is, no young collection looks at it, so its
 * successor survives, and the successor's, each with all that was in it when it was replaced; and all of that is copied, twice,
 * and stays until a full collection. So this one takes a new Map, which nothing old refers to, before the table is full.
 * (v8/src/objects/ordered-hash-table.cc, `OrderedHashTable::Rehash` and `Clear`: `SetNextTable`.)
 */
export class TransitMap<K, V> {
  #map = new Map<K, V>()
  /** Entries that the present Map was given, those that were deleted among them. */
  #given = 0

  get size(): number {
    return this.#map.size
  }

  get(key: K): V | undefined {
    return this.#map.get(key)
  }

  has(key: K): boolean {
    return this.#map.has(key)
  }

  set(key: K, value: V): void {
    const map = this.#map
    const { size } = map
    map.set(key, value)
    if (map.size > size) this.#given += 1
    if (this.#given >= givenMin && this.#given > 2 * map.size && map.size <= copiedMax)
      this.#renew()
  }

  delete(key: K): boolean {
    const isGone = this.#map.delete(key)
    // Nothing is to be copied then.
    if (isGone && this.#map.size === 0 && this.#given >= givenMin) this.#renew()
    return isGone
  }

  clear(): void {
    if (this.#given > 0) this.#map = new Map()
    this.#given = 0
  }

  keys(): MapIterator<K> {
    return this.#map.keys()
  }

  values(): MapIterator<V> {
    return this.#map.values()
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.#map[Symbol.iterator]()
  }

  #renew(): void {
    this.#map = new Map(this.#map)
    this.#given = this.#map.size
  }
}

/** Fewer are not worth a new Map. */
const givenMin = 64
/** More would be copied at once; and where so many stay, few tables are replaced. */
const copiedMax = 16_384
