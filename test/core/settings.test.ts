import { describe, expect, it } from 'vitest'
import { readSettings, SettingsError } from '../../src/core/shared/read-settings.ts'

const complaintsOf = (vars: Record<string, unknown>): readonly string[] => {
  try {
    readSettings(vars)
  } catch (error) {
    if (error instanceof SettingsError) return error.complaints
    throw error
  }
  return []
}

describe('settings', () => {
  it('have a default each', () => {
    expect(readSettings({})).toEqual({
      ensemble: 'main',
      members: 3,
      observers: 0,
      maxMembers: 3,
      groups: [],
      weights: new Map(),
      reconfigEnabled: false,
      standaloneEnabled: true,
      advertisedHost: undefined,
      zkPort: 2181,
      tickTimeMs: 2000,
      initLimitTicks: 10,
      syncLimitTicks: 5,
      finalizeWaitMs: 200,
      proposeToQuorum: false,
      minSessionTimeoutMs: 4000,
      maxSessionTimeoutMs: 40_000,
      fourLetterWords: new Set(['srvr']),
      sessionsPerActor: 500,
      juteMaxBufferBytes: 1_048_575,
      globalOutstandingLimit: 1000,
      snapCountTxns: 100_000,
      commitLogCountTxns: 500,
      storageLimitMb: 4096,
      extendedTypesEnabled: true,
      enforceQuota: false,
      containerCheckIntervalMs: 60_000,
      containerMaxPerMinute: 10_000,
      maxClientCnxns: 0,
      maxCnxns: 0,
      requestThrottleMaxRequests: 0,
      throttledOpWaitTimeMs: 0,
      localSessionsEnabled: false,
      localSessionsUpgradingEnabled: true,
      readOnlyMode: false,
      enforceAuthSchemes: new Set(),
    })
  })

  it('come as text or as numbers, and empty text means unset', () => {
    expect(readSettings({ MEMBERS: '5', OBSERVERS: 2, TICK_TIME: '' })).toMatchObject({
      members: 5,
      observers: 2,
      tickTimeMs: 2000,
    })
  })

  it('derive the session timeouts from the tick unless they are given', () => {
    expect(readSettings({ TICK_TIME: '100', MAX_SESSION_TIMEOUT: '900' })).toMatchObject({
      minSessionTimeoutMs: 200,
      maxSessionTimeoutMs: 900,
    })
  })

  it('take four-letter words as a list or as *', () => {
    expect(readSettings({ FOUR_LETTER_WORDS: 'ruok, mntr' }).fourLetterWords).toEqual(
      new Set(['ruok', 'mntr']),
    )
    expect(readSettings({ FOUR_LETTER_WORDS: '*' }).fourLetterWords).toContain('isro')
  })

  it('are refused all at once, each with its value and what is allowed', () => {
    expect(
      complaintsOf({
        MEMBERS: '10',
        TICK_TIME: 'soon',
        FOUR_LETTER_WORDS: 'kill',
        ENSEMBLE: 'A b',
      }),
    ).toEqual([
      'ENSEMBLE is "A b": must be 1 to 32 characters of a-z, 0-9 and -',
      'MEMBERS is "10": must be a whole number from 1 to 9',
      'TICK_TIME is "soon": must be a whole number from 20 to 60000',
      'FOUR_LETTER_WORDS is "kill": must be * or a comma list of: conf cons crst dirs dump envi gtmk hash isro mntr ruok srst srvr stat stmk wchc wchp wchs',
    ])
  })

  it.each(['1.5', '1e1', '0x3', ' 3', '-0x1', true, null, {}, [3]])(
    'refuse %j as a number',
    (value) => {
      expect(complaintsOf({ MEMBERS: value })).toHaveLength(1)
    },
  )

  it('must go together', () => {
    expect(complaintsOf({ MIN_SESSION_TIMEOUT: '500', MAX_SESSION_TIMEOUT: '400' })).toEqual([
      'MIN_SESSION_TIMEOUT is 500: must not exceed MAX_SESSION_TIMEOUT, which is 400',
    ])
    expect(complaintsOf({ ZK_PORT: '65534' })).toEqual([
      'ZK_PORT is 65534: the last member’s port would be 65536, above 65535',
    ])
  })
})
