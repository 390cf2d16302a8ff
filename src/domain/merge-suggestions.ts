import type { Identity } from '../channels/fact.ts'
import type { MergeSuggestion } from '../db/generated/client.ts'
import { Prisma } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { type Recorder, type Tx, transact } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { NotFoundError } from './errors.ts'
import { newId } from './ids.ts'
import { type List, type ListQuery, listQuery } from './list-query.ts'
import type { Moved } from './merge-record.ts'
import type { Page } from './page.ts'

/** Notes that the two may be one person, once for the two, with an event; the customer must be locked. */
export async function suggestMerge(
  tx: Tx,
  recorder: Recorder,
  organizationId: string,
  customerId: string,
  otherCustomerId: string,
  { kind, value }: Pick<Identity, 'kind' | 'value'>,
): Promise<void> {
  const reverse = { customerId: otherCustomerId, otherCustomerId: customerId }
  if ((await tx.mergeSuggestion.count({ where: reverse })) > 0) return
  const id = newId()
  const data = { id, organizationId, customerId, otherCustomerId, kind, value }
  const { count } = await tx.mergeSuggestion.createMany({ data, skipDuplicates: true })
  if (count > 0) recorder.event({ type: 'MERGE_SUGGESTED', customerId, data: { mergeSuggestionId: id, otherCustomerId } })
}

const list: List = { name: 'mergeSuggestions', table: 'merge_suggestion', time: null, latestFirst: true }

/** The organization's open suggestions, newest first. Throws ValidationError. */
export const mergeSuggestionList = (organizationId: string, page: Page): ListQuery =>
  listQuery(list, page, [Prisma.sql`item.organization_id = ${organizationId}::uuid`, Prisma.sql`item.status = 'OPEN'`], false)

/** The open suggestions that name each customer, newest first, in one statement. */
export async function mergeSuggestionsOf(
  deps: Pick<Deps, 'db'>,
  organizationId: string,
  customerIds: readonly string[],
): Promise<Map<string, MergeSuggestion[]>> {
  const ids = [...customerIds]
  const rows = await deps.db.mergeSuggestion.findMany({
    where: { organizationId, status: 'OPEN', OR: [{ customerId: { in: ids } }, { otherCustomerId: { in: ids } }] },
    orderBy: { id: 'desc' },
  })
  return new Map(ids.map((id) => [id, rows.filter((row) => row.customerId === id || row.otherCustomerId === id)]))
}

/** They are two people: it is not suggested again. Throws NotFoundError; one that is not open any more stays as it is. */
export function dismissMergeSuggestion(
  deps: Pick<Deps, 'db' | 'bus'>,
  actor: Actor,
  { mergeSuggestionId: id }: { mergeSuggestionId: string },
): Promise<MergeSuggestion> {
  const { organizationId, memberId } = actor
  return transact(deps, organizationId, async (tx, recorder) => {
    const { count } = await tx.mergeSuggestion.updateMany({ where: { id, organizationId, status: 'OPEN' }, data: { status: 'DISMISSED' } })
    const suggestion = await tx.mergeSuggestion.findFirst({ where: { id, organizationId } })
    if (suggestion === null) throw new NotFoundError('merge suggestion', ['input', 'mergeSuggestionId'])
    const data = { mergeSuggestionDismissed: id }
    for (const customerId of count > 0 ? [suggestion.customerId, suggestion.otherCustomerId] : []) {
      recorder.event({ type: 'CUSTOMER_CHANGED', actorId: memberId, customerId, data })
    }
    return suggestion
  })
}

/** What was suggested about the two is settled; what was suggested about the merged one and a third holds for the survivor. */
export async function mergeSuggestionsInto(tx: Tx, survivorId: string, mergedId: string): Promise<Pick<Moved, 'suggestions' | 'settled'>> {
  const both = [survivorId, mergedId]
  const rows = await tx.mergeSuggestion.findMany({ where: { OR: [{ customerId: { in: both } }, { otherCustomerId: { in: both } }] } })
  const suggestions: Moved['suggestions'] = []
  const settled: Moved['settled'] = []
  const thirdOf = (row: MergeSuggestion) => [row.customerId, row.otherCustomerId].find((id) => !both.includes(id))
  const known = new Set(rows.filter((row) => row.customerId === survivorId || row.otherCustomerId === survivorId).map(thirdOf))
  for (const row of rows) {
    if (row.customerId !== mergedId && row.otherCustomerId !== mergedId) continue
    if (known.has(thirdOf(row))) {
      settled.push({ id: row.id, status: row.status })
      await tx.mergeSuggestion.update({ where: { id: row.id }, data: { status: 'MERGED' } })
    } else {
      const column = row.customerId === mergedId ? 'customerId' : 'otherCustomerId'
      suggestions.push({ id: row.id, column })
      await tx.mergeSuggestion.update({ where: { id: row.id }, data: { [column]: survivorId } })
    }
  }
  return { suggestions, settled }
}

/** The way back of `mergeSuggestionsInto`; what staff has dismissed since stays dismissed. */
export async function partSuggestions(tx: Tx, mergedId: string, { suggestions, settled }: Moved): Promise<void> {
  for (const { id, column } of suggestions) await tx.mergeSuggestion.update({ where: { id }, data: { [column]: mergedId } })
  for (const { id, status } of settled) await tx.mergeSuggestion.update({ where: { id }, data: { status } })
}
