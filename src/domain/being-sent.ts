import type { MessageFact } from '../channels/fact.ts'
import type { Deps } from '../deps.ts'
import { cleanText } from './text.ts'

/**
 * The message of ours that an echo is of, where its own answer has not come yet, or never will: it says the same to the same customer. The
 * attempt is committed before the provider is called, and a conversation's messages are sent one after the other. Instagram's echoes do not
 * carry our id.
 */
export async function beingSent(
  deps: Pick<Deps, 'db'>,
  account: { id: string; organizationId: string },
  { address, body }: MessageFact,
): Promise<string | null> {
  const found = await deps.db.communication.findFirst({
    where: {
      organizationId: account.organizationId,
      channelAccountId: account.id,
      address: cleanText(address),
      direction: 'OUTBOUND',
      deliveryStatus: { in: ['PENDING', 'UNKNOWN'] },
      attemptStartedAt: { not: null },
      externalMessageId: null,
      body: cleanText(body),
    },
    orderBy: { id: 'asc' },
    select: { id: true },
  })
  return found?.id ?? null
}
