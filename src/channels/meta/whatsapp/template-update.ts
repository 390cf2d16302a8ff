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

/** The fields `message_template_status_update` and `message_template_quality_update`. */
export function templateFact(value: Json): Fact {
  const providerTemplateId = idIn(value.message_template_id)
  const name = textIn(value.message_template_name)
  const language = textIn(value.message_template_language)
  if (providerTemplateId === null || name === null || language === null)
    return unknown('news of a template without its id, name or language')
  const quality = textIn(value.new_quality_score)
  return { kind: 'template', providerTemplateId, name, language, status: templateStatus(value.event), reason: reasonIn(value), quality }
}

function reasonIn(value: Json): string | null {
  const rejection = objectIn(value.rejection_info)
  const why = [textIn(rejection?.reason), textIn(rejection?.recommendation)].filter((part) => part !== null)
  if (why.length > 0) return why.join(' ')
  const other = textIn(objectIn(value.other_info)?.description)
  const word = textIn(value.reason)
  return other ?? (word === null || word === 'NONE' ? null : word)
}
