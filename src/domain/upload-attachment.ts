import { type Attachment, Prisma } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { enqueue } from '../jobs/enqueue.ts'
import { isMediaType, trueContentType } from './content-type.ts'
import { ValidationError } from './errors.ts'
import { newId } from './ids.ts'
import { cleanText, requiredText } from './text.ts'

/** Whose upload it is. `uploadedById`: the member; null for an API key. */
export type Uploader = { organizationId: string; uploadedById: string | null }

export type CreateUploadInput = { filename: string; contentType: string; size: number }

const MAX_FILENAME = 255

/** An attachment that waits for its bytes and belongs to no message yet. Throws ValidationError. */
export async function createUpload(
  deps: Pick<Deps, 'db' | 'config' | 'clock'>,
  { organizationId, uploadedById }: Uploader,
  input: CreateUploadInput,
): Promise<Attachment> {
  const filename = requiredText(input.filename, ['input', 'filename'], MAX_FILENAME)
  const contentType = input.contentType.trim()
  if (!isMediaType(contentType)) throw new ValidationError('contentType must be a media type such as image/jpeg.', ['input', 'contentType'])
  const limit = deps.config.MAX_ATTACHMENT_BYTES
  if (input.size < 1 || input.size > limit) {
    throw new ValidationError(`size must be from 1 to ${limit} bytes (MAX_ATTACHMENT_BYTES), not ${input.size}.`, ['input', 'size'])
  }
  const data = { id: newId(), organizationId, uploadedById, filename, contentType, createdAt: deps.clock() }
  return deps.db.attachment.create({ data })
}

/** The bytes of an attachment that waits for them. `used`: it has got them already; `gone`: it was deleted, or is another organization's. */
export async function storeUpload(
  deps: Pick<Deps, 'db' | 'storage'>,
  organizationId: string,
  attachmentId: string,
  body: Buffer,
): Promise<Attachment | 'used' | 'gone'> {
  const mine = { id: attachmentId, organizationId }
  const before = await deps.db.attachment.findFirst({ where: mine })
  if (before === null) return 'gone'
  if (before.status !== 'PENDING') return 'used'
  const stored = await keep(deps, organizationId, body, before.contentType)
  const [attachment] = await deps.db.attachment.updateManyAndReturn({ where: { ...mine, status: 'PENDING' }, data: stored })
  if (attachment !== undefined) return attachment
  // Simultaneous uploads have a key each: this one has lost.
  await deps.storage.delete(stored.storageKey)
  return (await deps.db.attachment.count({ where: mine })) === 0 ? 'gone' : 'used'
}

/** A file that comes all at once. The name is cleaned and shortened, never refused. */
export async function addUpload(
  deps: Pick<Deps, 'db' | 'storage' | 'clock'>,
  { organizationId, uploadedById }: Uploader,
  file: { filename: string | null; contentType: string | null; body: Buffer },
): Promise<Attachment> {
  const filename = [...cleanText(file.filename ?? '').trim()].slice(0, MAX_FILENAME).join('')
  const stored = await keep(deps, organizationId, file.body, file.contentType)
  const data = { ...stored, id: newId(), organizationId, uploadedById, filename: filename === '' ? null : filename }
  return deps.db.attachment.create({ data: { ...data, createdAt: deps.clock() } })
}

async function keep({ storage }: Pick<Deps, 'storage'>, organizationId: string, body: Buffer, declared: string | null) {
  const contentType = await trueContentType(body, declared)
  const storageKey = `uploads/${organizationId}/${newId()}`
  await storage.put(storageKey, body)
  return { status: 'STORED' as const, storageKey, size: body.byteLength, contentType }
}

/** Deletes uploads that no message has taken up, and by jobs their bytes. Gives their number. */
export async function deleteUploads(deps: Pick<Deps, 'db'>, where: { ids: readonly string[] } | { before: Date }): Promise<number> {
  const [ids, before] = 'ids' in where ? [[...where.ids], null] : [null, where.before]
  const unsent = Prisma.sql`communication_id IS NULL AND (id = ANY(${ids}::uuid[]) OR created_at < ${before}::timestamptz)`
  return deps.db.$transaction(async (tx) => {
    // A send that takes one up, or a message that gives one back, has locked it: the statement waits and looks at the row again.
    const deleted = await tx.$queryRaw<{ storage_key: string | null }[]>`
      DELETE FROM attachment WHERE id IN (
        SELECT id FROM attachment WHERE ${unsent} ORDER BY id LIMIT 500
      ) AND ${unsent} RETURNING storage_key`
    for (const { storage_key: storageKey } of deleted) {
      if (storageKey !== null) await enqueue(tx, 'delete-stored-file', { storageKey })
    }
    return deleted.length
  })
}

const KEPT_MS = 24 * 3_600_000

/** Of uploads that were never sent, after a day. */
export async function deleteUnsentUploads(deps: Pick<Deps, 'db' | 'clock' | 'log'>): Promise<void> {
  const before = new Date(deps.clock().getTime() - KEPT_MS)
  let total = 0
  for (let deleted = -1; deleted !== 0; total += deleted) deleted = await deleteUploads(deps, { before })
  if (total > 0) deps.log.info({ deleted: total }, 'uploads that were never sent are deleted')
}
