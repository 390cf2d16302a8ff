import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { verifyAttachmentLink } from '../attachment-links.ts'
import type { AttachmentStatus } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { contentDisposition, servedContentType } from './attachment-headers.ts'
import { HttpError, RequestAborted } from './errors.ts'
import { allowsMethod } from './json.ts'

const PATH = /^\/attachments\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

type Row = {
  status: AttachmentStatus
  storage_key: string | null
  content_type: string | null
  filename: string | null
  size: number | null
  source_url: string | null
  revoked: boolean
}

type AttachmentDeps = Pick<Deps, 'config' | 'pool' | 'storage' | 'clock' | 'log'>

/** GET `/attachments/<id>?token=…`, as signed by signAttachmentLink. 403: the token is wrong or expired; 404: no such file (yet). */
export function createAttachmentHandler(deps: AttachmentDeps) {
  return async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> => {
    if (!allowsMethod(request, response, ['GET', 'HEAD'])) return
    const id = PATH.exec(url.pathname)?.[1]
    if (id === undefined) throw new HttpError(404, 'There is nothing at this address.')
    const link = await verifyAttachmentLink(deps.config, id, url.searchParams.get('token') ?? '', deps.clock)
    if (link === null) throw new HttpError(403, 'The link is wrong or has expired: ask the graph for a new one.')
    const { key, row } = await findStored(deps, id, link.organizationId)
    await serve(deps, request, response, id, key, row)
  }
}

async function findStored({ pool }: AttachmentDeps, id: string, organizationId: string): Promise<{ key: string; row: Row }> {
  const { rows } = await pool.query<Row>({
    name: 'attachment',
    text: `SELECT a.status, a.storage_key, a.content_type, a.filename, a.size, a.source_url, c.revoked_at IS NOT NULL AS revoked
      FROM attachment a LEFT JOIN communication c ON c.id = a.communication_id WHERE a.id = $1 AND a.organization_id = $2`,
    values: [id, organizationId],
  })
  const [row] = rows
  if (row?.revoked === true) throw new HttpError(404, 'The message was taken back, and its files with it.')
  if (row?.status === 'STORED' && row.storage_key !== null) return { key: row.storage_key, row }
  if (row?.status === 'PENDING' && row.source_url === null) throw new HttpError(404, 'The attachment has not been uploaded yet.')
  if (row?.status === 'PENDING') throw new HttpError(404, 'The attachment is still being fetched from the provider.')
  if (row?.status === 'FAILED') throw new HttpError(404, 'The attachment could not be fetched from the provider.')
  throw new HttpError(404, 'There is no such attachment.')
}

async function serve(
  deps: AttachmentDeps,
  request: IncomingMessage,
  response: ServerResponse,
  id: string,
  key: string,
  row: Row,
): Promise<void> {
  const file = deps.storage.get(key)
  try {
    await once(file, 'readable')
  } catch (error) {
    deps.log.error({ err: error, attachmentId: id, storageKey: key }, 'a stored attachment cannot be read')
    throw new HttpError(404, 'The file of this attachment is missing.')
  }
  const contentType = servedContentType(row.content_type)
  response.writeHead(200, {
    'content-type': contentType,
    'content-disposition': contentDisposition(contentType, row.filename),
    ...(row.size === null ? {} : { 'content-length': row.size }),
    // Browsers refuse to show a PDF in a sandbox; with nosniff it cannot become a page of ours.
    ...(contentType === 'application/pdf' ? {} : { 'content-security-policy': "default-src 'none'; sandbox" }),
    'cache-control': 'private, max-age=3600, immutable',
    // The link itself is the permission, so a frontend on any origin may show and fetch what it opens.
    'access-control-allow-origin': '*',
    'cross-origin-resource-policy': 'cross-origin',
    'referrer-policy': 'no-referrer',
  })
  if (request.method === 'HEAD') {
    file.destroy()
    response.end()
    return
  }
  try {
    await pipeline(file, response)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
    throw new RequestAborted('the client went away during the download', { cause: error })
  }
}
