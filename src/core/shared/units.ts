/**
 * Numbers that must not be mixed up, and the only casts to them.
 *
 * A zxid is one JavaScript number: epoch × 2^32 + counter. It is exact while the epoch stays below 2^21
 * (`limits.epochMax`), and comparing or adding costs no BigInt (docs/decisions/0002). Only session ids use all 64 bits
 * and are therefore `bigint`: they are compared and looked up, never calculated with.
 */
declare const unit: unique symbol
type Unit<T, Name extends string> = T & { readonly [unit]: Name }

/** Transaction id, epoch × 2^32 + counter. */
export type Zxid = Unit<number, 'Zxid'>
/** Reign of one leader; the high half of its zxids. */
export type Epoch = Unit<number, 'Epoch'>
/** Number of an ensemble member, 1..254 (ZooKeeper's `myid`). */
export type Sid = Unit<number, 'Sid'>
/** 64-bit session id. */
export type SessionId = Unit<bigint, 'SessionId'>

const counters = 0x1_0000_0000

export const zxidOf = (epoch: Epoch, counter: number): Zxid => (epoch * counters + counter) as Zxid
export const epochOf = (zxid: Zxid): Epoch => Math.floor(zxid / counters) as Epoch
export const counterOf = (zxid: Zxid): number => zxid % counters
/** A number read from the wire or from a store, already checked to be a zxid. */
export const asZxid = (value: number): Zxid => value as Zxid
export const asEpoch = (value: number): Epoch => value as Epoch
export const asSid = (value: number): Sid => value as Sid
export const asSessionId = (value: bigint): SessionId => value as SessionId

/** `0x100000002`, as ZooKeeper prints zxids. */
export const showZxid = (zxid: Zxid): string => `0x${zxid.toString(16)}`
/** `0x1000003c2a40001`, as ZooKeeper prints session ids (two's complement when negative). */
export const showSessionId = (id: SessionId): string => `0x${BigInt.asUintN(64, id).toString(16)}`
