import type { Role } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { type Bus, memberRolesTopic } from '../events/bus.ts'
import { hasRole } from './viewer.ts'

/** `lost` is called when the member may no longer do what `role` may. */
type Watched = { memberId: string; role: Role; lost: () => void }

type WatchDeps = Pick<Deps, 'bus' | 'log' | 'pool'>

const POLL_MS = 60_000

// One for each process (each app in the tests): thousands of connections are looked after by one statement a minute.
const watching = new WeakMap<Bus, { all: Set<Watched>; stop: () => void }>()

/** At once by a ring when a role changes, within a minute where the ring is lost. The function returned calls it off. */
export function watchRole(deps: WatchDeps, watched: Watched): () => void {
  const { all, stop } = watching.get(deps.bus) ?? begin(deps)
  all.add(watched)
  return () => {
    if (all.delete(watched) && all.size === 0) stop()
  }
}

function begin({ bus, log, pool }: WatchDeps) {
  const all = new Set<Watched>()
  const check = async () => {
    const asked = [...all]
    const members = new Set(asked.map(({ memberId }) => memberId))
    const { rows } = await pool.query<{ id: string; role: Role }>('SELECT id, role FROM member WHERE id = ANY($1)', [[...members]])
    const roles = new Map(rows.map((row) => [row.id, row]))
    for (const { memberId, role, lost } of asked) {
      const now = roles.get(memberId)
      if (now === undefined || !hasRole(now, role)) lost()
    }
  }
  const look = () => void check().catch((error: unknown) => log.error({ err: error }, 'the roles of open connections could not be checked'))
  const unsubscribe = bus.subscribe(memberRolesTopic, look)
  const poll = setInterval(look, POLL_MS)
  poll.unref()
  const watch = {
    all,
    stop() {
      unsubscribe()
      clearInterval(poll)
      watching.delete(bus)
    },
  }
  watching.set(bus, watch)
  return watch
}
