import type { TemplateStatus } from '../../../db/generated/enums.ts'
import type { Fact } from '../../fact.ts'
import { idIn, type Json, objectIn, textIn } from '../json.ts'
import { unknown } from './unknown.ts'

/**
 * WhatsApp's words for the state of a template; what says nothing about sending is absent.
 * Source: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/message_template_status_update
 */
const STATUSES = new Map<unknown, TemplateStatus>([
  ['APPROVED', 'APPROVED'],
  ['REINSTATED', 'APPROVED'],
  ['UNARCHIVED', 'APPROVED'],
  ['PENDING', 'PENDING'],
  ['IN_APPEAL', 'PENDING'],
  ['REJECTED', 'REJECTED'],
  ['PAUSED', 'PAUSED'],
  ['DISABLED', 'DISABLED'],
  ['ARCHIVED', 'DISABLED'],
  ['DELETED', 'DISABLED'],
  ['PENDING_DELETION', 'DISABLED'],
  ['LIMIT_EXCEEDED', 'DISABLED'],
])

export const templateStatus = (word: unknown): TemplateStatus | null => STATUSES.get(word) ?? null

/** What these say is not all that has changed: the template is fetched. */
const OUTDATING = new Set(['message_template_components_update', 'template_category_update'])

/** The fields that are about a template. */
export const TEMPLATE_FIELDS: ReadonlySet<string> = new Set([
  'message_template_status_update',
  'message_template_quality_update',
  ...OUTDATING,
])

/** What one of TEMPLATE_FIELDS says. */
export function templateFact(field: string, value: Json): Fact {
  const providerTemplateId = idIn(value.message_template_id)
  const name = textIn(value.message_template_name)
  const language = textIn(value.message_template_language)
  if (providerTemplateId === null || name === null || language === null)
    return unknown('news of a template without its id, name or language')
  const said = { kind: 'template', providerTemplateId, name, language } as const
  if (OUTDATING.has(field)) return { ...said, status: null, reason: null, quality: null, outdated: true }
  return { ...said, status: templateStatus(value.event), reason: reasonIn(value), quality: textIn(value.new_quality_score) }
}

function reasonIn(value: Json): string | null {
  const rejection = objectIn(value.rejection_info)
  const why = [textIn(rejection?.reason), textIn(rejection?.recommendation)].filter((part) => part !== null)
  if (why.length > 0) return why.join(' ')
  const other = textIn(objectIn(value.other_info)?.description)
  const word = textIn(value.reason)
  return other ?? (word === null || word === 'NONE' ? null : word)
}
