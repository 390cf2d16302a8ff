import type { ChannelType, IdentityKind } from '../../src/db/generated/enums.ts'
import { receiveMessages } from '../../src/domain/receive-message.ts'
import { createMemoryBus } from '../../src/events/memory-bus.ts'
import type { ContractServer } from './contract-files.ts'

/** A message that was there before the webhook, of the customer at `address`. */
export type Known = { id: string; direction: 'INBOUND' | 'OUTBOUND'; address?: string }

/** Stores the messages as if they had been received, or sent by the provider's own app, long ago. */
export async function remember(
  { app, organizationId }: ContractServer,
  account: { id: string; channel: ChannelType },
  known: readonly Known[],
  identity: { kind: IdentityKind; scope: string },
): Promise<void> {
  const items = known.map(({ id, direction, address = '+15550100' }) => ({
    account: { ...account, organizationId },
    windowHours: 24,
    fact: {
      kind: 'message' as const,
      externalMessageId: id,
      direction,
      address,
      identities: [{ ...identity, value: address, verified: true }],
      profileName: null,
      body: 'before',
      content: { kind: 'TEXT' as const },
      attachments: [],
      payload: null,
      consent: null,
      sentAt: new Date(0),
    },
  }))
  await receiveMessages({ ...app.deps, bus: createMemoryBus() }, null, items)
}
