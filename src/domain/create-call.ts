import type { CallFact } from '../channels/fact.ts'
import type { Communication } from '../db/generated/client.ts'
import type { ChannelType, Provider } from '../db/generated/enums.ts'
import type { Recorder, Tx } from '../events/transact.ts'
import type { Verdict } from './call-verdict.ts'
import { ensureConversation, touchConversation } from './conversations.ts'
import { newId, timeOfId } from './ids.ts'
import { cleanText } from './text.ts'

export type CallAccount = { id: string; organizationId: string; channel: ChannelType; provider: Provider }

/** A CALL_LOG of the customer, who is locked: in the conversation on the account that has our number, else on `account` and in none. */
export async function createCall(
  tx: Tx,
  recorder: Recorder,
  account: CallAccount,
  customerId: string,
  { address, direction, externalMessageId, line }: CallFact,
  { payload, ...verdict }: Verdict,
): Promise<Communication> {
  const place = line === undefined ? account : await accountWith(tx, account, line)
  const conversation =
    place === null || address === null ? null : await ensureConversation(tx, recorder, { account: place, address }, customerId, null)
  const conversationId = conversation?.id ?? null
  const id = newId()
  const call = await tx.communication.create({
    data: {
      id,
      organizationId: account.organizationId,
      customerId,
      conversationId,
      channelAccountId: (place ?? account).id,
      externalMessageId: cleanText(externalMessageId),
      type: 'CALL_LOG',
      direction,
      body: '',
      ...verdict,
      ...(Object.keys(payload).length === 0 ? {} : { payload }),
      createdAt: timeOfId(id),
    },
  })
  if (conversationId !== null) await touchConversation(tx, conversationId, id)
  recorder.event({ type: 'COMMUNICATION_CREATED', customerId, conversationId, communicationId: id })
  return call
}

/** The active account of the same provider that has our number; null: the number is for calls alone. */
async function accountWith(
  tx: Tx,
  { organizationId, provider }: CallAccount,
  { channel, address }: NonNullable<CallFact['line']>,
): Promise<CallAccount | null> {
  const accounts = await tx.channelAccount.findMany({
    where: { organizationId, provider, address, status: 'ACTIVE' },
    select: { id: true, organizationId: true, channel: true, provider: true },
    orderBy: { id: 'asc' },
  })
  return accounts.find((account) => account.channel === channel) ?? accounts[0] ?? null
}
