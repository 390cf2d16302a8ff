import type { EditFact, RevokeFact } from '../channels/fact.ts'
import type { Communication } from '../db/generated/client.ts'
import { Prisma } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { type Recorder, type Tx, transact } from '../events/transact.ts'
import { enqueue } from '../jobs/enqueue.ts'
import type { Applied } from './apply-facts.ts'
import { newId } from './ids.ts'
import { cleanJson, cleanText } from './text.ts'

type Account = { id: string; organizationId: string }

/** The message says something else from now on; what it said before is kept. A repeated edit changes nothing. */
export async function applyEdit(deps: Pick<Deps, 'db' | 'bus'>, account: Account, fact: EditFact): Promise<Applied> {
  return changing(deps, account, fact.externalMessageId, 'edited', async (tx, before) => {
    if (before.revokedAt !== null) return false
    const body = cleanText(fact.body)
    const latest = before.editedAt === null || before.editedAt < fact.at
    const known = await tx.communicationEdit.count({ where: { communicationId: before.id, replacedAt: fact.at } })
    if (known > 0 || (latest && before.body === body)) return false
    const { id: communicationId, organizationId } = before
    const content = before.content ?? Prisma.DbNull
    // An edit that comes after a later one is history already.
    const former = latest ? { body: before.body, content, replacedAt: fact.at } : { body, replacedAt: before.editedAt ?? fact.at }
    await tx.communicationEdit.create({ data: { id: newId(), organizationId, communicationId, ...former } })
    if (!latest) return true
    const now = fact.content.kind === 'TEXT' ? Prisma.DbNull : cleanJson(fact.content)
    await tx.communication.update({
      where: { id: communicationId },
      data: { body, content: now as Prisma.InputJsonValue, editedAt: fact.at },
    })
    return true
  })
}

/** The sender has taken the message back: that it was there stays, what it said and its files go, their bytes by jobs. */
export async function applyRevoke(deps: Pick<Deps, 'db' | 'bus'>, account: Account, fact: RevokeFact): Promise<Applied> {
  return changing(deps, account, fact.externalMessageId, 'revoked', async (tx, before) => {
    if (before.revokedAt !== null) return false
    const communicationId = before.id
    const files = await tx.attachment.findMany({ where: { communicationId }, select: { storageKey: true } })
    for (const { storageKey } of files) if (storageKey !== null) await enqueue(tx, 'delete-stored-file', { storageKey })
    await tx.communicationEdit.deleteMany({ where: { communicationId } })
    await tx.emailMessage.deleteMany({ where: { communicationId } })
    await tx.attachment.deleteMany({ where: { communicationId } })
    await tx.communication.update({
      where: { id: communicationId },
      data: { revokedAt: fact.at, body: '', subject: null, content: Prisma.DbNull, payload: Prisma.DbNull },
    })
    return true
  })
}

async function changing(
  deps: Pick<Deps, 'db' | 'bus'>,
  account: Account,
  externalMessageId: string,
  change: 'edited' | 'revoked',
  work: (tx: Tx, before: Communication) => Promise<boolean>,
): Promise<Applied> {
  return transact(deps, account.organizationId, async (tx: Tx, recorder: Recorder): Promise<Applied> => {
    const [locked] = await tx.$queryRaw<{ id: string }[]>`
      SELECT id FROM communication WHERE channel_account_id = ${account.id}::uuid AND external_message_id = ${cleanText(externalMessageId)}
      FOR NO KEY UPDATE`
    if (locked === undefined) return { reason: `the message that was ${change} is not known (yet): ${externalMessageId}` }
    const before = await tx.communication.findUniqueOrThrow({ where: { id: locked.id } })
    if (!(await work(tx, before))) return { outcome: 'duplicate' }
    const { customerId, conversationId, id: communicationId } = before
    recorder.event({ type: 'COMMUNICATION_CHANGED', customerId, conversationId, communicationId, data: { change } })
    return { outcome: 'applied' }
  })
}
