import type { Capabilities } from '../channels/channel.ts'
import type { MediaKind } from '../channels/content.ts'
import type { Tx } from '../events/transact.ts'
import type { DraftFile } from './content-limits.ts'
import { mediaKindOf } from './content-limits.ts'
import { NotFoundError, ValidationError } from './errors.ts'

/** A file of a message, and what it is sent as. Kept in the communication's payload: its order is the message's. */
export type ChosenFile = { id: string; media: MediaKind }

export type ComposedFile = ChosenFile & DraftFile

/** Who chooses files. `communicationId`: the message that is written anew and may keep its own; null: it is not there yet. */
export type Chooser = { organizationId: string; capabilities: Capabilities; communicationId: string | null }

/**
 * Uploads chosen for a message: stored, the organization's own, and of no other message. They are locked together with those that the message
 * has, in a fixed order. Throws NotFoundError, ValidationError.
 */
export async function chosenFiles(
  tx: Tx,
  { organizationId, capabilities, communicationId }: Chooser,
  ids: readonly string[],
  kind: MediaKind | null,
  path: string[],
): Promise<ComposedFile[]> {
  if (ids.length === 0) return []
  if (new Set(ids).size < ids.length) throw new ValidationError('attachmentIds names a file twice.', path)
  await tx.$queryRaw`
    SELECT FROM attachment WHERE organization_id = ${organizationId}::uuid
      AND (id = ANY(${[...ids]}::uuid[]) OR communication_id = ${communicationId}::uuid) ORDER BY id FOR NO KEY UPDATE`
  const rows = await tx.attachment.findMany({ where: { id: { in: [...ids] }, organizationId } })
  return ids.map((id, index) => {
    const place = [...path, String(index)]
    const row = rows.find((candidate) => candidate.id === id)
    if (row === undefined) throw new NotFoundError('attachment', place)
    if (row.communicationId !== null && row.communicationId !== communicationId)
      throw new ValidationError('The file belongs to a message already: upload it again.', place)
    if (row.status !== 'STORED') throw new ValidationError('The file has not been uploaded yet.', place)
    const contentType = row.contentType ?? 'application/octet-stream'
    return { id, media: kind ?? mediaKindOf(capabilities, contentType), contentType, size: row.size ?? 0, path: place }
  })
}

/** Makes the files the message's. They must be locked by `chosenFiles`. */
export async function claimFiles(tx: Tx, communicationId: string, files: readonly ChosenFile[]): Promise<void> {
  if (files.length > 0) await tx.attachment.updateMany({ where: { id: { in: files.map(({ id }) => id) } }, data: { communicationId } })
}

/** Makes uploads again of what the message does not keep: like those made at that time, they can be chosen for a day. */
export async function releaseFiles(tx: Tx, communicationId: string, kept: readonly ChosenFile[], now: Date): Promise<void> {
  const where = { communicationId, id: { notIn: kept.map(({ id }) => id) } }
  await tx.attachment.updateMany({ where, data: { communicationId: null, createdAt: now } })
}
