import type { Content } from '../channels/content.ts'
import type { Communication } from '../db/generated/client.ts'

type Row = Pick<Communication, 'type' | 'direction' | 'body' | 'content' | 'payload' | 'templateId' | 'revokedAt'>

/** What a message is. Text is stored without a word about it; what was written before content was stored is told from its payload. */
export function contentOf(row: Row): Content {
  if (row.content !== null) return row.content as Content
  if (row.type === 'EMAIL') return { kind: 'EMAIL' }
  const payload = objectIn(row.payload)
  if (row.direction === 'OUTBOUND' && row.templateId !== null && row.revokedAt === null) return templateIn(payload)
  return (row.direction === 'INBOUND' ? (locationIn(payload) ?? replyIn(payload, row.body)) : null) ?? { kind: 'TEXT' }
}

function templateIn(payload: Json): Content {
  const template = objectIn(payload.template)
  const variables = Object.entries(objectIn(template.variables)).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return {
    kind: 'TEMPLATE',
    name: textIn(template.name) ?? '',
    language: textIn(template.language),
    variables: Object.fromEntries(variables),
  }
}

function locationIn(payload: Json): Content | null {
  const { latitude, longitude, label, address } = objectIn(payload.location)
  if (typeof latitude !== 'number' || typeof longitude !== 'number') return null
  return { kind: 'LOCATION', latitude, longitude, name: textIn(label), address: textIn(address), url: null }
}

function replyIn(payload: Json, body: string): Content | null {
  const [button, list] = [objectIn(payload.button), objectIn(payload.list)]
  const base = { kind: 'INTERACTIVE_REPLY', data: null } as const
  if (Object.keys(list).length > 0)
    return { ...base, reply: 'LIST', id: textIn(list.id), title: textIn(list.title) ?? body, description: textIn(list.description) }
  if (Object.keys(button).length > 0)
    return { ...base, reply: 'BUTTON', id: textIn(button.payload), title: textIn(button.text) ?? body, description: null }
  return null
}

type Json = Record<string, unknown>

const objectIn = (value: unknown): Json => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {})

const textIn = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
