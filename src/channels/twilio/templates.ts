import type { TemplateStatus } from '../../db/generated/enums.ts'
import type { ProviderTemplate } from '../channel.ts'
import { Unavailable, Uncertain } from '../failures.ts'
import type { TwilioCredentials } from './credentials.ts'
import { type TwilioApi, twilioClient } from './http.ts'

const PAGE = 100
const MOST = 5000

type Approval = { status?: unknown; category?: unknown; rejection_reason?: unknown }

/** Source: https://www.twilio.com/docs/content/content-api-resources#fetch-an-approval-status-request */
const STATUSES = new Map<unknown, TemplateStatus>([
  ['approved', 'APPROVED'],
  ['rejected', 'REJECTED'],
  ['paused', 'PAUSED'],
  ['disabled', 'DISABLED'],
])

/**
 * The Content templates of the Twilio account. `approved`: WhatsApp has to approve them; else all can be used. Throws Rejected or Unavailable.
 */
export async function listContentTemplates(
  api: TwilioApi,
  credentials: TwilioCredentials,
  { approved }: { approved: boolean },
): Promise<ProviderTemplate[]> {
  const listed = await unavailable(async () =>
    (await twilioClient(api, credentials)).content.v1.contentAndApprovals.list({ pageSize: PAGE, limit: MOST }),
  )
  return listed.map(({ sid, friendlyName, language, types, variables, approvalRequests }) => ({
    providerTemplateId: sid,
    name: friendlyName,
    language,
    ...(approved ? approvalOf(approvalRequests ?? {}) : { status: 'APPROVED' as const, statusReason: null, category: null }),
    quality: null,
    body: bodyOf(types ?? {}),
    components: { types, variables },
  }))
}

function approvalOf({
  status,
  category,
  rejection_reason: reason,
}: Approval): Pick<ProviderTemplate, 'status' | 'statusReason' | 'category'> {
  const unsubmitted = status === 'unsubmitted' ? 'Not submitted to WhatsApp yet: submit it for approval in Twilio.' : null
  return {
    status: STATUSES.get(status) ?? 'PENDING',
    statusReason: text(reason) ?? unsubmitted,
    category: text(category)?.toUpperCase() ?? null,
  }
}

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)

const VARIABLE = /\{\{\s*(\w+)\s*\}\}/g

/** The text of the first type that has one, then whatever else needs variables, a line each: nothing may be sent with Twilio's sample values. */
function bodyOf(types: Record<string, unknown>): string {
  const texts = Object.values(types).map((type) => textOf(type))
  const lines = [texts.find((each) => each !== null) ?? '']
  for (const each of stringsIn(types)) {
    if (variablesIn(each).some((name) => !variablesIn(...lines).includes(name))) lines.push(each)
  }
  return lines.filter((line) => line !== '').join('\n')
}

/** Source: https://www.twilio.com/docs/content/content-types-overview: a card has a title where the others have a body. */
function textOf(type: unknown): string | null {
  if (typeof type !== 'object' || type === null) return null
  const { body, title } = type as { body?: unknown; title?: unknown }
  return text(body) ?? text(title)
}

const variablesIn = (...texts: string[]): string[] => texts.flatMap((each) => [...each.matchAll(VARIABLE)].map(([, name = '']) => name))

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : []
}

/** Reading can be tried again, whatever went wrong on the way. */
async function unavailable<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    throw error instanceof Uncertain ? new Unavailable(error.message) : error
  }
}
