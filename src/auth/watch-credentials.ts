import type { Deps } from '../deps.ts'
import { apiKeyTopic } from '../events/bus.ts'
import type { Caller, Viewer } from './viewer.ts'
import { watchRole } from './watch-roles.ts'

// Node's timers hold at most 2^31-1 milliseconds; a token that lives longer is looked at again then.
const MAX_TIMER_MS = 2 ** 31 - 1
const KEY_POLL_MS = 60_000

type WatchDeps = Pick<Deps, 'bus' | 'clock' | 'log' | 'pool'>

/**
 * Calls `ended` with a reason when the credentials of a long connection stop working: the token expires, another token has given
 * the member less than this one, or the API key is revoked (at once by a ring; within a minute where the ring is lost). The function returned calls it off.
 */
export function watchCredentials(deps: WatchDeps, caller: Caller, ended: (reason: string) => void): () => void {
  const { expiresAt } = caller.viewer ?? caller.visitor
  const stopTimer = expiresAt === null ? () => {} : atTime(expiresAt, deps.clock, () => ended('Token expired'))
  const stopRights = caller.viewer === null ? () => {} : watchRights(deps, caller.viewer, ended)
  return () => {
    stopTimer()
    stopRights()
  }
}

function atTime(time: Date, clock: () => Date, reached: () => void): () => void {
  let timer: NodeJS.Timeout
  const wait = () => {
    const left = time.getTime() - clock().getTime()
    timer = left <= 0 ? setTimeout(reached, 0) : setTimeout(wait, Math.min(left, MAX_TIMER_MS))
    timer.unref()
  }
  wait()
  return () => clearTimeout(timer)
}

function watchRights(deps: WatchDeps, { apiKeyId, member, role }: Viewer, ended: (reason: string) => void): () => void {
  if (apiKeyId !== null) return watchKey(deps, apiKeyId, () => ended('API key revoked'))
  return member === null ? () => {} : watchRole(deps, { memberId: member.id, role, lost: () => ended('Role changed') })
}

function watchKey(deps: WatchDeps, apiKeyId: string, revoked: () => void): () => void {
  const check = async () => {
    const { rowCount } = await deps.pool.query('SELECT FROM api_key WHERE id = $1 AND revoked_at IS NULL', [apiKeyId])
    if (rowCount === 0) revoked()
  }
  const look = () => void check().catch((error: unknown) => deps.log.error({ err: error }, 'an API key could not be checked'))
  const unsubscribe = deps.bus.subscribe(apiKeyTopic(apiKeyId), look)
  const poll = setInterval(look, KEY_POLL_MS)
  poll.unref()
  return () => {
    unsubscribe()
    clearInterval(poll)
  }
}
