import type { ChannelAccount } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { transact } from '../events/transact.ts'
import { lockHolder } from './customers.ts'
import { newId } from './ids.ts'
import { suggestMerge } from './merge-suggestions.ts'

/**
 * An anonymous visitor has turned out to be `externalId`. Where they have written before and nobody is known by that id yet, the customer they
 * are is now known by it; where somebody is, staff are shown that both may be one person. Nobody is merged.
 */
export async function linkVisitor(
  deps: Pick<Deps, 'db' | 'bus'>,
  { organizationId, address }: Pick<ChannelAccount, 'organizationId' | 'address'>,
  visitorId: string,
  externalId: string,
): Promise<void> {
  const external = { organizationId, kind: 'EXTERNAL', scope: '', value: externalId } as const
  await transact(deps, organizationId, async (tx, recorder) => {
    const customerId = await lockHolder(tx, organizationId, { kind: 'WEBCHAT', scope: address, value: visitorId })
    if (customerId === null) return
    // Who has such an id already is somebody else, on the same device.
    if ((await tx.customerIdentity.count({ where: { customerId, kind: 'EXTERNAL', scope: '' } })) > 0) return
    const data = { ...external, id: newId(), customerId, verified: true }
    const { count } = await tx.customerIdentity.createMany({ data: [data], skipDuplicates: true })
    if (count === 1) return recorder.event({ type: 'CUSTOMER_CHANGED', customerId })
    const holder = await tx.customerIdentity.findUnique({ where: { organizationId_kind_scope_value: external } })
    if (holder !== null) await suggestMerge(tx, recorder, organizationId, customerId, holder.customerId, external)
  })
}
