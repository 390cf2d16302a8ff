import { buffer } from 'node:stream/consumers'
import type { MediaReference } from '../channels/fact.ts'
import type { Attachment } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import type { Visitor } from '../visitor-tokens.ts'
import { NotFoundError, ValidationError } from './errors.ts'
import { type CreateUploadInput, createUpload, deleteUploads } from './upload-attachment.ts'
import { openChat } from './webchat-account.ts'
import { openUpload, sealUpload } from './webchat-handles.ts'
import { limitMessages } from './webchat-limits.ts'

/** An upload that only this visitor can send. Throws RateLimitedError, ChannelNotConnectedError, ValidationError. */
export async function createWebchatUpload(
  deps: Pick<Deps, 'db' | 'config' | 'clock' | 'limits' | 'secrets'>,
  visitor: Visitor,
  input: CreateUploadInput,
): Promise<{ attachment: Attachment; uploadId: string }> {
  await limitMessages(deps, visitor)
  await openChat(deps, visitor)
  const attachment = await createUpload(deps, { organizationId: visitor.organizationId, uploadedById: null }, input)
  return { attachment, uploadId: sealUpload(deps, visitor, attachment.id) }
}

/** The files of uploads, in their order. `taken` is to be called when a message has them. Throws NotFoundError, ValidationError. */
export async function uploadedFiles(
  deps: Pick<Deps, 'db' | 'storage' | 'secrets'>,
  visitor: Visitor,
  uploadIds: readonly string[],
  max: number,
): Promise<{ files: MediaReference[]; taken(): Promise<void> }> {
  const path = ['input', 'uploadIds']
  const sealed = [...new Set(uploadIds)]
  if (sealed.length > max) throw new ValidationError(`There are ${sealed.length} files; at most ${max} are allowed.`, path)
  const ids = sealed.map((uploadId, index) => required(openUpload(deps, visitor, uploadId), [...path, String(index)]))
  const { organizationId } = visitor
  const rows = await deps.db.attachment.findMany({ where: { id: { in: ids }, organizationId, communicationId: null, status: 'STORED' } })
  const files: MediaReference[] = []
  for (const [index, id] of ids.entries()) {
    const { storageKey, contentType, filename } = required(
      rows.find((row) => row.id === id),
      [...path, String(index)],
    )
    if (storageKey === null) throw new Error(`attachment ${id} is stored nowhere`)
    files.push({ url: null, bytes: await buffer(deps.storage.get(storageKey)), contentType, ...(filename === null ? {} : { filename }) })
  }
  return { files, taken: async () => void (await deleteUploads(deps, { ids })) }
}

function required<T>(found: T | null | undefined, path: string[]): T {
  if (found === null || found === undefined) throw new NotFoundError('upload with its bytes', path)
  return found
}
