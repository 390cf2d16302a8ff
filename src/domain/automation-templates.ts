import type { AutomationTemplate } from '../db/generated/client.ts'
import type { AutomationKind, ChannelType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import type { Tx } from '../events/transact.ts'
import { type AutomationText, DEFAULT_LANGUAGE, defaultText } from './automation-defaults.ts'
import { checkedLink, type LinkInput } from './automation-link.ts'
import { checkVariables } from './automation-variables.ts'
import { cleanHtml } from './clean-html.ts'
import { ValidationError } from './errors.ts'
import { newId } from './ids.ts'
import { checkedLanguage, isSameLanguage, withBases } from './languages.ts'
import { MAX_BODY, MAX_HTML } from './templates.ts'
import { optionalText, requiredText } from './text.ts'

/** The text of an automation on a channel, in a language; `row` null: the default one. Dates in it are in the language that was asked for. */
export type ChosenText = AutomationText & Place & { language: string; dateLanguage: string; row: AutomationTemplate | null }

export type AutomationTemplateInput = LinkInput & {
  /** Absent: the organization's. */
  language?: string | null
  subject?: string | null
  body?: string | null
  html?: string | null
}

type Place = { kind: AutomationKind; channel: ChannelType }

/**
 * In the first of the languages, or of their bases, that has a text of the organization's own or a default one. Its own text in en-GB comes
 * before the default one in en, where en-GB is among the languages.
 */
export function chooseText(
  rows: readonly AutomationTemplate[],
  { kind, channel }: Place,
  languages: readonly [string, ...string[]],
): ChosenText {
  const candidates = [...languages, DEFAULT_LANGUAGE].flatMap(withBases)
  const own = (language: string) => rows.find((row) => row.kind === kind && row.channel === channel && row.language === language)
  for (const language of candidates) {
    const related = candidates.filter((one) => isSameLanguage(one, language))
    const row = own(language) ?? related.map(own).find((found) => found !== undefined) ?? null
    const text = row ?? defaultText(kind, channel, language)
    if (text === null) continue
    const { subject, body, html } = text
    return { kind, channel, language: row?.language ?? language, dateLanguage: languages[0], subject, body, html, row }
  }
  throw new Error(`no default text for ${kind} on ${channel}`)
}

/** In which a customer is written to: theirs, then the organization's. */
export const languagesFor = (customer: { language: string | null }, organization: { language: string }): [string, ...string[]] =>
  customer.language === null ? [organization.language] : [customer.language, organization.language]

/** Writes the organization's own text in place of the default one; absent fields stay as they are. Throws ValidationError, NotFoundError. */
export async function saveAutomationTemplate(
  reading: { channels: Deps['channels']; tx: Tx },
  scope: { organizationId: string; language: string },
  kind: AutomationKind,
  input: AutomationTemplateInput,
  path: string[],
): Promise<void> {
  const { tx } = reading
  const { organizationId } = scope
  const { channel } = input
  const language = checkedLanguage(input.language ?? scope.language, [...path, 'language'])
  const rows = await tx.automationTemplate.findMany({ where: { organizationId, kind, channel } })
  const standIn = chooseText(rows, { kind, channel }, [language, scope.language])
  const own = standIn.row?.language === language ? standIn.row : null
  const link = await checkedLink(reading, organizationId, kind, own, input, path)
  // A text in another language stands in for one that is not sent, because the provider's template is; nothing of it stays beside a new one.
  const stays = isSameLanguage(standIn.language, language) || (link.templateId !== null && !input.body)
  const text = checkedText(kind, stays ? standIn : null, input, path)
  const key = { organizationId, kind, channel, language }
  const data = { ...text, ...link, updatedAt: new Date() }
  await tx.automationTemplate.upsert({
    where: { organizationId_kind_channel_language: key },
    create: { id: newId(), ...key, ...data },
    update: data,
  })
}

/** The default text holds again. Changes nothing where it does already. */
export async function resetAutomationTemplate(
  tx: Tx,
  organizationId: string,
  place: { kind: AutomationKind; channel: ChannelType; language: string },
): Promise<void> {
  await tx.automationTemplate.deleteMany({ where: { organizationId, ...place } })
}

/** `before`: what absent fields stay as; null: there was no text in this language. */
function checkedText(kind: AutomationKind, before: AutomationText | null, input: AutomationTemplateInput, path: string[]): AutomationText {
  if (input.channel !== 'EMAIL') {
    const [field] = (['subject', 'html'] as const).filter((name) => input[name] !== undefined && input[name] !== null)
    if (field !== undefined) throw new ValidationError(`Only e-mails have ${field}; this is for ${input.channel}.`, [...path, field])
  }
  const at = (field: string) => [...path, field]
  const body = input.body === undefined || input.body === null ? before?.body : requiredText(input.body, at('body'), MAX_BODY)
  if (body === undefined) throw new ValidationError('There is no text in this language yet: write its body.', at('body'))
  const subject = input.subject === undefined ? (before?.subject ?? null) : optionalText(input.subject, at('subject'), 200)
  if (input.channel === 'EMAIL' && subject === null) throw new ValidationError('An e-mail needs a subject.', at('subject'))
  const written = input.html === undefined ? (before?.html ?? null) : optionalText(input.html, at('html'), MAX_HTML)
  const html = written === null ? null : cleanHtml(written, at('html'))
  for (const [field, text] of Object.entries({ subject, body, html })) checkVariables(kind, text, at(field))
  return { subject, body, html }
}
