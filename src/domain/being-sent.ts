import type { MessageFact } from '../channels/fact.ts'
import type { Deps } from '../deps.ts'
import { cleanText } from './text.ts'

/**
 * Of these echoes, those of our own messages whose answer has not come yet, or never will, each with the communication's id: it says the same
 * to the same customer. The attempt is committed before the provider is called, and a conversation's messages are sent one after the other.
 * Instagram's echoes do not carry our id.
 */
export async function beingSent(
  deps: Pick<Deps, 'db'>,
  account: { id: string; organizationId: string },
  echoes: readonly MessageFact[],
): Promise<Map<MessageFact, string>> {
  const found = new Map<MessageFact, string>()
  if (echoes.length === 0) return found
  const waiting = await deps.db.communication.findMany({
    where: {
      organizationId: account.organizationId,
      channelAccountId: account.id,
      address: { in: [...new Set(echoes.map(({ address }) => cleanText(address)))] },
      direction: 'OUTBOUND',
      deliveryStatus: { in: ['PENDING', 'UNKNOWN'] },
      attemptStartedAt: { not: null },
      externalMessageId: null,
    },
    orderBy: { id: 'asc' },
    select: { id: true, address: true, body: true },
  })
  for (const echo of echoes) {
    const index = waiting.findIndex(({ address, body }) => address === cleanText(echo.address) && body === cleanText(echo.body))
    const [match] = index === -1 ? [] : waiting.splice(index, 1)
    if (match !== undefined) found.set(echo, match.id)
  }
  return found
}
