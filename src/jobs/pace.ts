import { LRUCache } from 'lru-cache'
import type { Deps } from '../deps.ts'
import { joinBatch } from '../domain/join-batch.ts'
import { accountFlag } from './enqueue.ts'

/**
 * Keeps each channel account to the messages that its provider takes a second, over all workers of the database. An account that has none
 * left is closed in this process for a moment: graphile-worker passes its jobs by (forbidden flags), so that they keep their places and
 * nobody waits for them.
 */
export type Pace = {
  /** Whether the account may send a message now; if not, it is closed. */
  take(channelAccountId: string): Promise<boolean>
  /** The flags of jobs that have to wait. */
  forbidden(): string[]
  stop(): void
}

/** How far ahead of an even pace an account may run, in seconds: a second holds at most a tenth more than its limit, and one. */
const BURST = 0.1

/** For so long a process may go by a limit that was changed. */
const REMEMBER_MS = 2_000

/** The limit may be raised, and a clock set back. */
const LOOK_AGAIN_MS = 1_000

type Rate = { perSecond: number | null }

const PREFIX = accountFlag('')

/** The accounts that the flags of a job name. */
export const pacedAccounts = (flags: Record<string, unknown> | null): string[] =>
  Object.keys(flags ?? {}).flatMap((flag) => (flag.startsWith(PREFIX) ? [flag.slice(PREFIX.length)] : []))

/** `wake` is called when jobs that were passed by may run again, with how many. */
export function createPace(deps: Pick<Deps, 'db' | 'pool' | 'channels'>, wake: (jobs: number) => void): Pace {
  const rates = new LRUCache<string, Rate>({ max: 10_000, ttl: REMEMBER_MS })
  const closed = new Map<string, NodeJS.Timeout>()

  const rateOf = async (channelAccountId: string): Promise<Rate> => {
    const known = rates.get(channelAccountId)
    if (known !== undefined) return known
    const account = await deps.db.channelAccount.findUnique({
      where: { id: channelAccountId },
      select: { provider: true, channel: true, messagesPerSecond: true },
    })
    const adapter = account === null ? undefined : deps.channels.find(account.provider, account.channel)
    const rate = { perSecond: account?.messagesPerSecond ?? adapter?.capabilities.messagesPerSecond ?? null }
    rates.set(channelAccountId, rate)
    return rate
  }

  const close = (channelAccountId: string, waitMs: number, perSecond: number): void => {
    clearTimeout(closed.get(channelAccountId))
    const open = () => {
      closed.delete(channelAccountId)
      wake(Math.ceil((BURST / 2) * perSecond))
    }
    closed.set(channelAccountId, setTimeout(open, Math.min(waitMs, LOOK_AGAIN_MS)))
  }

  return {
    async take(channelAccountId) {
      const { perSecond } = await rateOf(channelAccountId)
      if (perSecond === null) return true
      return joinBatch(deps.pool, `pace:${channelAccountId}`, channelAccountId, async (wanted) => {
        const { granted, waitMs } = await takeSome(deps, channelAccountId, perSecond, wanted.length)
        if (waitMs > 0) close(channelAccountId, waitMs, perSecond)
        return wanted.map((_, index) => index < granted)
      })
    },
    forbidden: () => [...closed.keys()].map(accountFlag),
    stop() {
      for (const timer of closed.values()) clearTimeout(timer)
    },
  }
}

/**
 * Takes up to `wanted`. `waitMs`: 0, or, where nothing is left, until half of a burst is there again. This is the generic cell rate
 * algorithm (ITU-T I.371), on the clock of the database. Limiters that count in windows let twice the limit through where two windows meet.
 */
async function takeSome(
  deps: Pick<Deps, 'pool'>,
  channelAccountId: string,
  perSecond: number,
  wanted: number,
): Promise<{ granted: number; waitMs: number }> {
  for (;;) {
    const { rows } = await deps.pool.query<{ granted: number; ahead: number }>({
      name: 'take-pace',
      text: takeSql,
      values: [channelAccountId, wanted, 1 / perSecond, BURST],
    })
    const [taken] = rows
    if (taken !== undefined) {
      const { granted, ahead } = taken
      return { granted, waitMs: ahead <= BURST ? 0 : Math.ceil((ahead - BURST / 2) * 1000) }
    }
    await deps.pool.query('INSERT INTO channel_pace (channel_account_id, busy_until) VALUES ($1, now()) ON CONFLICT DO NOTHING', [
      channelAccountId,
    ])
  }
}

/** $1: the account, $2: how many, $3: seconds for each, $4: the burst. `ahead`: seconds from now until the account is idle. */
const takeSql = `
WITH pace AS MATERIALIZED (
  SELECT busy_until FROM channel_pace WHERE channel_account_id = $1::uuid FOR UPDATE
), clock AS MATERIALIZED (
  SELECT clock_timestamp() AS now FROM pace
), state AS MATERIALIZED (
  SELECT now, greatest(busy_until, now) AS busy,
    greatest(0, least($2::int, floor(($4::float8 - extract(epoch FROM greatest(busy_until, now) - now)::float8) / $3::float8)::int + 1)) AS granted
  FROM pace, clock
)
UPDATE channel_pace SET busy_until = busy + granted * $3::float8 * interval '1 second' FROM state WHERE channel_account_id = $1::uuid
RETURNING granted, extract(epoch FROM busy_until - now)::float8 AS ahead`
