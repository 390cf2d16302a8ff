import type { Deps } from '../deps.ts'
import { enqueue, type Jobs } from '../jobs/enqueue.ts'
import { type Difference, differingCounts } from './differing-counts.ts'
import { differingOrganization, mendCustomer, mendOrganization } from './mend-counts.ts'
import { reconcileChannelStats } from './reconcile-channel-stats.ts'

type ReconcileDeps = Pick<Deps, 'db' | 'bus' | 'log'>

/** An organization whose customers after that id are still to be counted. */
type Place = { organizationId: string; after: string | null }

/** As many customers are counted by one statement. */
const PIECE = 500
/** A job hands on what it has not done by then: it must not pass for one of a dead worker. */
const JOB_MS = 10_000

/** Compares everything that is kept with what is counted, of all organizations or of one, and mends it. Gives the differences. */
export async function reconcileCounts(deps: ReconcileDeps, organizationId: string | null = null): Promise<Difference[]> {
  const found: Difference[] = []
  let place = organizationId === null ? await organizationAfter(deps, null) : { organizationId, after: null }
  while (place !== null && (organizationId === null || place.organizationId === organizationId))
    place = await reconcilePiece(deps, place, (difference) => found.push(difference))
  return found
}

/** The same as a job: for some seconds, then a job goes on from there. */
export async function reconcileForAWhile(
  deps: ReconcileDeps,
  { place: from }: Jobs['reconcile-counts'],
  report: (difference: Difference) => void,
): Promise<void> {
  const end = Date.now() + JOB_MS
  let place = from ?? (await organizationAfter(deps, null))
  while (place !== null && Date.now() < end) place = await reconcilePiece(deps, place, report)
  if (place !== null) await enqueue(deps.db, 'reconcile-counts', { place })
}

/** Some customers of an organization, or, after the last of them, what is kept of it as a whole. Gives where to go on; null: nowhere. */
async function reconcilePiece(
  deps: ReconcileDeps,
  { organizationId, after }: Place,
  report: (difference: Difference) => void,
): Promise<Place | null> {
  const tell = (differences: Difference[]): void => {
    for (const difference of differences) {
      deps.log.error({ difference }, 'a kept count was wrong; it is mended')
      report(difference)
    }
  }
  const customers = await deps.db.customer.findMany({
    where: { organizationId, ...(after === null ? {} : { id: { gt: after } }) },
    select: { id: true },
    orderBy: { id: 'asc' },
    take: PIECE,
  })
  const ids = customers.map(({ id }) => id)
  const suspects = new Set((await differingCounts(deps.db, organizationId, ids)).map(({ customerId }) => customerId))
  for (const customerId of suspects) tell(await mendCustomer(deps, organizationId, customerId))
  if (ids.length === PIECE) return { organizationId, after: ids.at(-1) ?? null }
  if ((await differingOrganization(deps.db, organizationId)) !== null) tell(await mendOrganization(deps, organizationId))
  tell(await reconcileChannelStats(deps, organizationId))
  return organizationAfter(deps, organizationId)
}

async function organizationAfter({ db }: Pick<Deps, 'db'>, id: string | null): Promise<Place | null> {
  const next = await db.organization.findFirst({
    where: id === null ? {} : { id: { gt: id } },
    orderBy: { id: 'asc' },
    select: { id: true },
  })
  return next === null ? null : { organizationId: next.id, after: null }
}
