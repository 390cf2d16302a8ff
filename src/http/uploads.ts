import type { IncomingMessage, ServerResponse } from 'node:http'
import { encodeGlobalID } from '@pothos/plugin-relay'
import type { Authenticator } from '../auth/authenticate.ts'
import { UnauthenticatedError } from '../auth/errors.ts'
import { hasRole } from '../auth/viewer.ts'
import type { Attachment } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { storeUpload, type Uploader } from '../domain/upload-attachment.ts'
import { verifyUploadLink } from '../upload-links.ts'
import { readBody } from './body.ts'
import { HttpError } from './errors.ts'
import { allowsMethod, sendJson } from './json.ts'
import { receiveFiles } from './upload-form.ts'

const PATH = /^\/uploads\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

/** Who may upload files with this request, apart from signed links. Throws HttpError 401 or 403 where nobody may. */
export type UploadAuthorizer = (request: IncomingMessage) => Promise<Uploader>

/** Staff from AGENT on, and API keys of that role. */
export function staffUploads({ authenticate }: Pick<Authenticator, 'authenticate'>): UploadAuthorizer {
  return async (request) => {
    const viewer = await authenticate(request.headers.authorization).catch((error: unknown) => {
      throw error instanceof UnauthenticatedError ? new HttpError(401, error.message) : error
    })
    if (viewer === null) throw new HttpError(401, 'Sign in: send a token or an API key as `Authorization: Bearer …`.')
    if (!hasRole(viewer, 'AGENT')) throw new HttpError(403, `Your role, ${viewer.role}, does not allow this.`)
    return { organizationId: viewer.organization.id, uploadedById: viewer.member?.id ?? null }
  }
}

type UploadDeps = Pick<Deps, 'config' | 'db' | 'storage' | 'clock'>

/**
 * PUT `/uploads/<id>?token=…` takes the bytes of one upload, as signed by signUploadLink; POST `/uploads` takes files as multipart/form-data
 * of whom `authorize` lets. Both answer with what they have stored.
 */
export function createUploadHandler(deps: UploadDeps, authorize: UploadAuthorizer) {
  return async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> => {
    const form = url.pathname === '/uploads'
    const method = form ? 'POST' : 'PUT'
    // No cookie says who is asking, so a page of any origin may.
    response.setHeader('access-control-allow-origin', '*')
    if (request.method === 'OPTIONS') return allowCrossOrigin(response, method)
    if (!allowsMethod(request, response, [method])) return
    if (form) {
      const attachments = await receiveFiles(deps, await authorize(request), request)
      return sendJson(response, 201, { attachments: attachments.map(shown) })
    }
    sendJson(response, 200, shown(await put(deps, request, url)))
  }
}

function allowCrossOrigin(response: ServerResponse, method: string): void {
  response.writeHead(204, {
    'access-control-allow-methods': method,
    'access-control-allow-headers': 'authorization, content-type',
    'access-control-max-age': '86400',
  })
  response.end()
}

const shown = ({ id, filename, contentType, size }: Attachment) => ({ id: encodeGlobalID('Attachment', id), filename, contentType, size })

async function put(deps: UploadDeps, request: IncomingMessage, url: URL): Promise<Attachment> {
  const id = PATH.exec(url.pathname)?.[1]
  if (id === undefined) throw new HttpError(404, 'There is nothing at this address.')
  const link = await verifyUploadLink(deps, id, url.searchParams.get('token') ?? '')
  if (link === null) throw new HttpError(403, 'The link is wrong or has expired: ask the graph for a new one (createUpload).')
  const body = await readBody(request, Math.min(link.size, deps.config.MAX_ATTACHMENT_BYTES), 'the size that was declared')
  if (body.byteLength === 0) throw new HttpError(400, 'The file is empty.')
  const stored = await storeUpload(deps, link.organizationId, id, body)
  if (stored === 'used') throw new HttpError(409, 'The file has been uploaded already: ask the graph for a new link (createUpload).')
  if (stored === 'gone') throw new HttpError(404, 'There is no such upload (any more).')
  return stored
}
