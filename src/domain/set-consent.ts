import type { ChannelType, ConsentState, MessagePurpose } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { type Tx, transact } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { recordConsent } from './consent.ts'
import { lockCustomers } from './customers.ts'
import { NotFoundError, ValidationError } from './errors.ts'
import { requiredText } from './text.ts'

export type SetConsentInput = {
  customerId: string
  channel: ChannelType
  purposes: readonly MessagePurpose[]
  state: ConsentState
  /** What shows it, in words for people. */
  evidence: string
}

const MAX_EVIDENCE = 1000

/**
 * What a customer has told staff. An opt-out is always taken; an opt-in undoes whatever was before, but for a STOP where the provider keeps
 * opt-outs itself. Gives the customer's id. Throws NotFoundError, ValidationError.
 */
export async function setConsent(
  deps: Pick<Deps, 'db' | 'bus' | 'clock' | 'channels'>,
  actor: Actor,
  input: SetConsentInput,
): Promise<string> {
  const { organizationId, memberId: actorId } = actor
  const { channel, purposes, state } = input
  if (purposes.length === 0) throw new ValidationError('purposes must not be empty.', ['input', 'purposes'])
  const evidence = requiredText(input.evidence, ['input', 'evidence'], MAX_EVIDENCE)
  return transact(deps, organizationId, async (tx, recorder) => {
    const [customerId] = await lockCustomers(tx, organizationId, [input.customerId])
    if (customerId === undefined) throw new NotFoundError('customer', ['input', 'customerId'])
    if (state === 'OPTED_IN' && onlyByTheCustomer(deps, channel)) await refuseAfterStop(tx, customerId, channel)
    const entry = { organizationId, customerId, channel, purposes, state, source: 'STAFF', evidence, actorId } as const
    await recordConsent(tx, recorder, { ...entry, occurredAt: deps.clock() })
    return customerId
  })
}

const onlyByTheCustomer = ({ channels }: Pick<Deps, 'channels'>, channel: ChannelType): boolean =>
  channels.all.some((adapter) => adapter.channel === channel && adapter.capabilities.keepsOptOuts === true)

async function refuseAfterStop(tx: Tx, customerId: string, channel: ChannelType): Promise<void> {
  const word = await tx.consentEntry.findFirst({
    where: { customerId, channel, source: { in: ['KEYWORD', 'PROVIDER'] } },
    orderBy: [{ occurredAt: 'desc' }, { id: 'desc' }],
    select: { state: true },
  })
  if (word?.state !== 'OPTED_OUT') return
  const message = `The customer has stopped messages on ${channel}: only they can allow them again, by writing START.`
  throw new ValidationError(message, ['input', 'state'])
}
