import type { Communication } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { transact } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { advance, lockCommunication } from './advance.ts'
import { NotFoundError, ValidationError } from './errors.ts'

/** Withdraws a scheduled message; its job finds nothing to do. Canceling again changes nothing. Throws NotFoundError, ValidationError. */
export async function cancelMessage(deps: Pick<Deps, 'db' | 'bus'>, actor: Actor, communicationId: string): Promise<Communication> {
  const path = ['input', 'communicationId']
  return transact(deps, actor.organizationId, async (tx, recorder) => {
    const communication = await lockCommunication(tx, communicationId)
    if (communication?.organizationId !== actor.organizationId) throw new NotFoundError('communication', path)
    if (communication.deliveryStatus === 'CANCELED') return communication
    if (communication.deliveryStatus !== 'SCHEDULED') {
      throw new ValidationError('Only a message that is still SCHEDULED can be canceled.', path)
    }
    await advance(tx, recorder, communication, { status: 'CANCELED', error: null, externalMessageId: null }, actor.memberId)
    return { ...communication, deliveryStatus: 'CANCELED' }
  })
}
