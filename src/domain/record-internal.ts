import type { Communication, Prisma } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { transact } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { touchConversation } from './conversations.ts'
import { lockCustomers } from './customers.ts'
import { NotFoundError } from './errors.ts'
import { newId, timeOfId } from './ids.ts'

type Place = { customerId: string; conversationId?: string | null }

type Content = Pick<
  Prisma.CommunicationUncheckedCreateInput,
  'type' | 'direction' | 'body' | 'subject' | 'callOutcome' | 'callStartedAt' | 'callSeconds'
>

/** Writes what staff adds to a customer's log (a note, a call) without anything being sent. */
export async function recordInternal(deps: Pick<Deps, 'db' | 'bus'>, actor: Actor, place: Place, content: Content): Promise<Communication> {
  const { organizationId, memberId } = actor
  const conversationId = place.conversationId ?? null
  return transact(deps, organizationId, async (tx, recorder) => {
    const [customerId] = await lockCustomers(tx, organizationId, [place.customerId])
    if (customerId === undefined) throw new NotFoundError('customer', ['input', 'customerId'])
    if (conversationId !== null) {
      const conversation = await tx.conversation.findFirst({ where: { id: conversationId, organizationId, customerId } })
      if (conversation === null) throw new NotFoundError('conversation of this customer', ['input', 'conversationId'])
    }
    const id = newId()
    const communication = await tx.communication.create({
      data: { ...content, id, organizationId, customerId, conversationId, authorId: memberId, createdAt: timeOfId(id) },
    })
    if (conversationId !== null) await touchConversation(tx, conversationId, id)
    recorder.event({ type: 'COMMUNICATION_CREATED', actorId: memberId, customerId, conversationId, communicationId: id })
    return communication
  })
}
