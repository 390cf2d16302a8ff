import type { IdentityChangeFact } from '../channels/fact.ts'
import type { Deps } from '../deps.ts'
import { type Recorder, type Tx, transact } from '../events/transact.ts'
import { lockHolder } from './customers.ts'
import { newId } from './ids.ts'
import { suggestMerge } from './merge-suggestions.ts'
import { cleanText } from './text.ts'

/**
 * The provider says that a customer has a new number or user id: they get it, and answers on this account go there. Where another customer
 * has it, a merge is suggested. false: nobody is known as `from`, and nothing changed.
 */
export function applyIdentityChange(
  deps: Pick<Deps, 'db' | 'bus'>,
  account: { id: string; organizationId: string },
  fact: IdentityChangeFact,
): Promise<boolean> {
  const { organizationId } = account
  return transact(deps, organizationId, async (tx, recorder) => {
    const customerId = await lockHolder(tx, organizationId, fact.from)
    if (customerId === null) return false
    let changed = false
    for (const identity of fact.to) if (await giveIdentity(tx, recorder, organizationId, customerId, identity)) changed = true
    const address = cleanText(fact.address)
    const key = { customerId, channelAccountId: account.id, NOT: { address } }
    if ((await tx.conversation.updateMany({ where: key, data: { address } })).count > 0) changed = true
    if (changed) recorder.event({ type: 'CUSTOMER_CHANGED', customerId, data: { note: cleanText(fact.note) } })
    return true
  })
}

/** Whether that changed the customer. */
async function giveIdentity(
  tx: Tx,
  recorder: Recorder,
  organizationId: string,
  customerId: string,
  { kind, scope, value: given }: IdentityChangeFact['to'][number],
): Promise<boolean> {
  const key = { organizationId, kind, scope, value: cleanText(given) }
  const made = await tx.customerIdentity.createMany({ data: [{ ...key, id: newId(), customerId, verified: true }], skipDuplicates: true })
  if (made.count > 0) return true
  const holder = await tx.customerIdentity.findUniqueOrThrow({ where: { organizationId_kind_scope_value: key } })
  if (holder.customerId !== customerId) {
    await suggestMerge(tx, recorder, organizationId, customerId, holder.customerId, key)
    return false
  }
  return (await tx.customerIdentity.updateMany({ where: { id: holder.id, verified: false }, data: { verified: true } })).count > 0
}
