import type { Fact } from '../../fact.ts'
import { type Json, objectIn, objectsIn, textIn, timeIn } from '../json.ts'
import { unknown } from './unknown.ts'

/** The fields that are about the account or its number. Source: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference */
export const ACCOUNT_FIELDS: ReadonlySet<string> = new Set([
  'account_alerts',
  'account_review_update',
  'account_update',
  'business_capability_update',
  'phone_number_name_update',
  'phone_number_quality_update',
  'security',
])

const GOOD = new Set([
  'APPROVED',
  'ONBOARDING',
  'PARTNER_ADDED',
  'PARTNER_APP_INSTALLED',
  'THROUGHPUT_UPGRADE',
  'UNFLAGGED',
  'UPGRADE',
  'VERIFIED_ACCOUNT',
  'ACCOUNT_RECONNECTED',
])

/** News that nobody has to act on and that lifts nothing: a restriction reported before stands. */
const NEUTRAL = new Set([
  'AD_ACCOUNT_LINKED',
  'AUTH_INTL_PRICE_ELIGIBILITY_UPDATE',
  'BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE',
  'MM_LITE_TERMS_SIGNED',
  'VOLUME_BASED_PRICING_TIER_UPDATE',
])

const SENTENCES: Readonly<Record<string, string>> = {
  ACCOUNT_RESTRICTION: 'WhatsApp has restricted this business account.',
  ACCOUNT_VIOLATION: 'WhatsApp says that this business account broke a policy.',
  ACCOUNT_DELETED: 'The WhatsApp business account was deleted at Meta.',
  ACCOUNT_OFFBOARDED: 'The WhatsApp business account was disconnected at Meta.',
  DISABLED_UPDATE: 'WhatsApp has disabled this business account, or says when it will.',
  PARTNER_REMOVED: 'The app was removed from the WhatsApp business account at Meta.',
  PARTNER_APP_UNINSTALLED: 'The app was uninstalled from the WhatsApp business account at Meta.',
  FLAGGED: 'Many people blocked or reported messages of this number: WhatsApp watches its quality.',
  DOWNGRADE: 'WhatsApp lets this number write to fewer people a day than before.',
  REJECTED: 'WhatsApp has rejected what was under review.',
  DEFERRED: 'WhatsApp has put off its decision on the number’s display name.',
  PIN_CHANGED: 'The two-step verification code of the number was changed.',
  PIN_RESET_REQUEST: 'Somebody asked to reset the two-step verification code of the number.',
  PIN_RESET_SUCCESS: 'The two-step verification code of the number was reset.',
  PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE: 'Meta has not verified this business.',
  INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED: 'WhatsApp does not let this business write to more people a day yet.',
  INCREASED_CAPABILITIES_ELIGIBILITY_FAILED: 'WhatsApp does not let this business write to more people a day.',
  INCREASED_CAPABILITIES_ELIGIBILITY_NEED_MORE_INFO: 'WhatsApp wants to know more before this business may write to more people a day.',
  OBA_REJECTED: 'WhatsApp has not made this an official business account.',
  PROFILE_PICTURE_LOST: 'The picture of the number’s business profile was removed.',
}

const RESTRICTIONS: Readonly<Record<string, string>> = {
  RESTRICTED_BIZ_INITIATED_MESSAGING: 'it may not start conversations',
  RESTRICTED_CUSTOMER_INITIATED_MESSAGING: 'it may not answer customers',
  RESTRICTED_ADD_PHONE_NUMBER_ACTION: 'it may not add phone numbers',
}

const said = (table: Readonly<Record<string, string>>, key: string): string | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined

/** News about the account, as a health check of the field's name. What is no known good news is bad, what calls for nothing is no check. */
export function noticeFact(field: string, value: Json): Fact {
  const alert = objectIn(value.alert_info) ?? value
  const certification = textIn(objectIn(value.partner_client_certification_info)?.status)
  const event = textIn(value.event) ?? textIn(value.decision) ?? textIn(alert.alert_type) ?? ''
  const informational = alert.alert_severity === 'INFORMATIONAL' || certification === 'APPROVED' || certification === 'PENDING'
  if (NEUTRAL.has(event) || informational) return unknown(`WhatsApp reports: ${event === '' ? field : event}; nothing has to be done`)
  const status = textIn(alert.alert_status) ?? textIn(objectIn(value.ban_info)?.waba_ban_state)
  const ok = GOOD.has(event) || field === 'business_capability_update' || status === 'RESOLVED' || status === 'REINSTATE'
  if (ok) return { kind: 'account-notice', name: field, ok, message: `WhatsApp reports: ${event === '' ? field : event}.` }
  const parts = [
    said(SENTENCES, event) ?? `WhatsApp reports: ${event === '' ? field : event}.`,
    restrictionsIn(value),
    textIn(alert.alert_description) ?? detailIn(value),
  ]
  const message = [...parts, 'Look at the account in WhatsApp Manager.'].filter((part) => part !== null).join(' ')
  return { kind: 'account-notice', name: field, ok, message }
}

function restrictionsIn(value: Json): string | null {
  const sentences = objectsIn(value.restriction_info).map(({ restriction_type, expiration }) => {
    const type = textIn(restriction_type) ?? 'a restriction'
    const until = timeIn(expiration)?.toISOString().slice(0, 10)
    return `${said(RESTRICTIONS, type) ?? type}${until === undefined ? '' : ` until ${until}`}`
  })
  return sentences.length === 0 ? null : `Until it is lifted: ${sentences.join('; ')}.`
}

const detailIn = (value: Json): string | null =>
  textIn(objectIn(value.violation_info)?.violation_type) ??
  textIn(value.rejection_reason) ??
  reasonsIn(value) ??
  textIn(objectIn(value.ban_info)?.waba_ban_state)

function reasonsIn(value: Json): string | null {
  const reasons = objectIn(value.partner_client_certification_info)?.rejection_reasons
  return Array.isArray(reasons) ? textIn(reasons.filter((reason) => typeof reason === 'string' && reason !== 'NONE').join(', ')) : null
}
