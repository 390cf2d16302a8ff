import { decodeGlobalID, encodeGlobalID } from '@pothos/plugin-relay'
import { NotFoundError } from '../src/domain/errors.ts'

export type NodeType =
  | 'ApiKey'
  | 'Appointment'
  | 'Attachment'
  | 'AutomationRun'
  | 'ChannelAccount'
  | 'Communication'
  | 'Conversation'
  | 'Customer'
  | 'CustomerIdentity'
  | 'CustomerMerge'
  | 'Member'
  | 'MergeSuggestion'
  | 'Organization'
  | 'Template'
  | 'WebhookReceipt'

const nouns = {
  ApiKey: 'API key',
  Appointment: 'appointment',
  Attachment: 'attachment',
  AutomationRun: 'automated message',
  ChannelAccount: 'channel account',
  Communication: 'communication',
  Conversation: 'conversation',
  Customer: 'customer',
  CustomerIdentity: 'identity',
  CustomerMerge: 'merge',
  Member: 'member',
  MergeSuggestion: 'merge suggestion',
  Organization: 'organization',
  Template: 'template',
  WebhookReceipt: 'webhook receipt',
} satisfies Record<NodeType, string>

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

const NOTHING: { typename: NodeType; id: string } = { typename: 'Organization', id: '00000000-0000-0000-0000-000000000000' }

/** For `node` and `nodes`: what cannot be an id is taken for that of something that does not exist. */
export function decodedId(globalId: string): { typename: NodeType; id: string } {
  const type = (Object.keys(nouns) as NodeType[]).find((name) => localId(name, globalId) !== null)
  const id = type === undefined ? null : localId(type, globalId)
  return type === undefined || id === null ? NOTHING : { typename: type, id }
}

/** The row id in a global id, or null where it is none of this type. */
export function localId(type: NodeType, globalId: string): string | null {
  try {
    const { typename, id } = decodeGlobalID(globalId)
    return typename === type && UUID.test(id) ? id.toLowerCase() : null
  } catch {
    return null
  }
}

/** As `localId`; what cannot be an id of this type does not exist. */
export function requiredId(type: NodeType, globalId: string, path: string[]): string {
  const id = localId(type, globalId)
  if (id === null) throw new NotFoundError(nouns[type], path)
  return id
}

export const optionalId = (type: NodeType, globalId: string | null | undefined, path: string[]): string | null =>
  globalId === null || globalId === undefined ? null : requiredId(type, globalId, path)

export const globalId = (type: NodeType, id: string): string => encodeGlobalID(type, id)
