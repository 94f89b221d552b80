/** What the owner field of a znode says: a session, a container, or a time to live (EphemeralType). */

/** EphemeralType.CONTAINER. */
export const containerOwner = -0x8000_0000_0000_0000n
/** The mask of nodes with a time to live; the low 40 bits are its milliseconds. */
const ttlMask = -0x0100_0000_0000_0000n

/** The longest time to live, ms: 40 bits. */
export const ttlMaxMs = 0xff_ffff_ffff

export const ttlOwner = (ttlMs: number): bigint => ttlMask | BigInt(ttlMs)

/** Does the field name a session? */
export const isSessionOwner = (owner: bigint): boolean =>
  owner !== 0n && owner !== containerOwner && !isTtlOwner(owner)

/** No member has sid 255, so no session id begins with eight ones. */
export const isTtlOwner = (owner: bigint): boolean => owner >> 56n === -1n

export const ttlOf = (owner: bigint): number => Number(BigInt.asUintN(40, owner))
