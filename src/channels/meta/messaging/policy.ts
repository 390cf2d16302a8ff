import type { AccountNoticeFact } from '../../fact.ts'
import { type Json, textIn } from '../json.ts'

/** Meta blocks a page that breaks its rules, and unblocks it. Source: https://developers.facebook.com/docs/messenger-platform/reference/webhook-events/messaging_policy_enforcement */
export function parsePolicy(policy: Json): AccountNoticeFact {
  const action = textIn(policy.action)?.slice(0, 50) ?? 'unknown action'
  const reason = textIn(policy.reason)?.slice(0, 500)
  const ok = action.toLowerCase() === 'unblock'
  const message = ok
    ? 'Meta has lifted its restriction of this page.'
    : `Meta has restricted this page (${action})${reason === undefined ? '' : `: ${reason}`}. Open the page’s support inbox at Facebook to see why and to appeal.`
  return { kind: 'account-notice', name: 'policy', ok, message }
}
