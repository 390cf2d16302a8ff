import type { MessageFact } from '../channels/fact.ts'
import { Prisma } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { transact } from '../events/transact.ts'
import type { Delivery } from './route-webhook.ts'
import { cleanJson, cleanText } from './text.ts'

/** Messages that were kept as unsupported, and are understood now, become what they are. All others stay as they are. */
export async function rereadMessages(deps: Pick<Deps, 'db' | 'bus'>, deliveries: readonly Delivery[]): Promise<void> {
  for (const { to, part } of deliveries) {
    for (const fact of part.facts) {
      if (fact.kind === 'message' && fact.content.kind !== 'UNSUPPORTED') await reread(deps, to.account, fact)
    }
  }
}

async function reread(deps: Pick<Deps, 'db' | 'bus'>, account: { id: string; organizationId: string }, fact: MessageFact): Promise<void> {
  await transact(deps, account.organizationId, async (tx, recorder) => {
    const content = fact.content.kind === 'TEXT' ? Prisma.DbNull : (cleanJson(fact.content) as Prisma.InputJsonValue)
    const rows = await tx.communication.updateManyAndReturn({
      where: {
        channelAccountId: account.id,
        externalMessageId: cleanText(fact.externalMessageId),
        content: { path: ['kind'], equals: 'UNSUPPORTED' },
      },
      data: { content, body: cleanText(fact.body) },
    })
    for (const { id: communicationId, customerId, conversationId } of rows) {
      recorder.event({ type: 'COMMUNICATION_CHANGED', customerId, conversationId, communicationId, data: { change: 'reread' } })
    }
  })
}
