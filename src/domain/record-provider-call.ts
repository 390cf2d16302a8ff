import type { CallFact } from '../channels/fact.ts'
import type { ChannelType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { transact } from '../events/transact.ts'
import type { Applied } from './apply-facts.ts'
import { ensureConversation, touchConversation } from './conversations.ts'
import { ensureCustomer } from './customers.ts'
import { newId, timeOfId } from './ids.ts'
import { cleanText } from './text.ts'

type Account = { id: string; organizationId: string; channel: ChannelType }

/** A call that the provider reports becomes a CALL_LOG in the conversation on this account; the same call once only. */
export async function recordProviderCall(deps: Pick<Deps, 'db' | 'bus'>, account: Account, fact: CallFact): Promise<Applied> {
  const { organizationId, id: channelAccountId } = account
  const [identity] = fact.identities
  if (identity === undefined) return { reason: 'a call from nobody' }
  return transact(deps, organizationId, async (tx, recorder): Promise<Applied> => {
    const externalMessageId = cleanText(fact.externalMessageId)
    const gate = { channelAccountId, externalMessageId, organizationId }
    const { count } = await tx.receivedMessage.createMany({ data: [gate], skipDuplicates: true })
    if (count === 0) return { outcome: 'duplicate' }
    const customerId = await ensureCustomer(tx, recorder, organizationId, identity, null)
    const conversation = await ensureConversation(tx, recorder, { account, address: fact.address }, customerId, null)
    const id = newId()
    await tx.communication.create({
      data: {
        id,
        organizationId,
        customerId,
        conversationId: conversation.id,
        channelAccountId,
        externalMessageId,
        type: 'CALL_LOG',
        direction: fact.direction,
        body: '',
        callOutcome: fact.outcome,
        callStartedAt: fact.startedAt,
        callSeconds: fact.seconds,
        createdAt: timeOfId(id),
      },
    })
    await touchConversation(tx, conversation.id, id, 0)
    recorder.event({ type: 'COMMUNICATION_CREATED', customerId, conversationId: conversation.id, communicationId: id })
    return { outcome: 'applied' }
  })
}
