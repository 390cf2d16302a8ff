import type { TemplateFact } from '../channels/fact.ts'
import type { Template } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { type Tx, transact } from '../events/transact.ts'
import { enqueueTemplateSync } from './sync-templates.ts'
import { cleanText } from './text.ts'

type Account = { id: string; organizationId: string }

/** The provider's word on one of its templates. One that we do not have, or not as it is now, is fetched, with all others, by a job. */
export async function applyTemplateFact(deps: Pick<Deps, 'db' | 'bus' | 'clock'>, account: Account, fact: TemplateFact): Promise<void> {
  await transact(deps, account.organizationId, async (tx, recorder) => {
    await tx.$queryRaw`SELECT FROM channel_account WHERE id = ${account.id}::uuid FOR NO KEY UPDATE`
    const template = await find(tx, account, fact)
    if (template === null || fact.outdated === true) return enqueueTemplateSync(tx, account.id)
    const changes = {
      ...(fact.status === null ? {} : { status: fact.status, statusReason: fact.reason === null ? null : cleanText(fact.reason) }),
      ...(fact.quality === null ? {} : { quality: cleanText(fact.quality) }),
    }
    const now = deps.clock()
    const changed = Object.entries(changes).some(([name, value]) => template[name as keyof typeof changes] !== value)
    await tx.template.update({ where: { id: template.id }, data: { ...changes, syncedAt: now, ...(changed ? { updatedAt: now } : {}) } })
    if (changed) recorder.event({ type: 'TEMPLATE_CHANGED', data: { templateId: template.id, change: 'updated' } })
  })
}

async function find(tx: Tx, { id: channelAccountId }: Account, fact: TemplateFact): Promise<Template | null> {
  const byId = await tx.template.findFirst({ where: { channelAccountId, providerTemplateId: cleanText(fact.providerTemplateId) } })
  if (byId !== null) return byId
  return tx.template.findFirst({ where: { channelAccountId, name: cleanText(fact.name), language: cleanText(fact.language) } })
}
