import type { Appointment, Customer, Template } from '../db/generated/client.ts'
import type { AutomationKind } from '../db/generated/enums.ts'
import type { Tx } from '../events/transact.ts'
import { MissingValueError } from './automation-reasons.ts'
import { type ChosenText, chooseText, mappingOf } from './automation-templates.ts'
import { type Scene, valuesOf } from './automation-variables.ts'
import type { Composed } from './compose-message.ts'
import { checkTemplateFault, providersTemplate } from './compose-template.ts'
import type { Settings } from './notification-settings.ts'
import { type Rendered, renderTemplate } from './render-template.ts'
import type { Recipient } from './resolve-recipient.ts'

/** Whom it is for, and what it is about. */
export type Occasion = {
  kind: AutomationKind
  settings: Settings
  customer: Pick<Customer, 'name' | 'language'>
  appointment: Pick<Appointment, 'service' | 'staffId' | 'staffName' | 'startsAt' | 'timezone'> | null
}

/** A text filled in; `template`: the provider's, where that one is sent. */
export type Filled = { text: ChosenText; template: Template | null; rendered: Rendered }

/** In the customer's language where there is a text in it; dates are always in theirs. `language`: this one, whatever theirs is. */
export async function fillAutomation(
  tx: Tx,
  occasion: Occasion,
  channel: Recipient['account']['channel'],
  language?: string,
): Promise<Filled> {
  const { kind, settings, customer, appointment } = occasion
  const { organizationId } = settings
  const rows = await tx.automationTemplate.findMany({ where: { organizationId, kind, channel } })
  const own = language ?? customer.language
  const text = chooseText(rows, { kind, channel }, own === null ? [settings.language] : [own, settings.language])
  const values = valuesOf({
    businessName: settings.businessName,
    reviewLink: settings.reviewLink,
    language: text.language,
    dateLanguage: own ?? settings.language,
    customer,
    appointment: appointment === null ? null : await sceneOf(tx, organizationId, appointment),
  })
  const templateId = text.row?.templateId ?? null
  const template = templateId === null ? null : await tx.template.findFirst({ where: { id: templateId, organizationId } })
  if (template === null) return { text, template, rendered: renderTemplate(text, values) }
  return { text, template, rendered: renderTemplate(template, mapped(values, mappingOf(text.row))) }
}

async function sceneOf(
  tx: Tx,
  organizationId: string,
  { service, staffId, staffName, startsAt, timezone }: NonNullable<Occasion['appointment']>,
): Promise<Scene['appointment']> {
  const member = staffId === null ? null : await tx.member.findFirst({ where: { id: staffId, organizationId } })
  return { service, startsAt, timezone, staffName: staffName ?? member?.name ?? null }
}

function mapped(values: Record<string, string>, mapping: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(mapping).flatMap(([theirs, ours]) => {
      const value = values[ours]
      return value === undefined ? [] : [[theirs, value]]
    }),
  )
}

/** Says what to do about it. */
export function missingValues(names: readonly string[], path: string[]): MissingValueError {
  const what = `There is no value for ${names.map((name) => `{{${name}}}`).join(', ')}`
  const way = names.includes('review_link')
    ? 'set the review link in the notification settings, or take it out of the text'
    : 'take it out of the text, or use words that hold for every customer'
  return new MissingValueError(`${what}: ${way}.`, path)
}

/** The message, before any channel's rules. Throws MissingValueError, and ValidationError where the provider would refuse a value. */
export async function composeAutomation(tx: Tx, occasion: Occasion, recipient: Recipient, language?: string): Promise<Composed> {
  const { text, template, rendered } = await fillAutomation(tx, occasion, recipient.account.channel, language)
  const path = ['template']
  if (rendered.missingVariables.length > 0) throw missingValues(rendered.missingVariables, path)
  const atProvider = template === null ? null : providersTemplate(template, rendered.variables)
  checkTemplateFault(recipient.adapter, atProvider, path)
  const name = template?.name ?? occasion.kind.toLowerCase()
  return {
    content: { kind: 'TEMPLATE', name, language: template?.language ?? text.language, variables: rendered.variables },
    body: rendered.body,
    subject: text.channel === 'EMAIL' ? (rendered.subject ?? occasion.settings.businessName) : null,
    html: rendered.html,
    purpose: template?.purpose === 'MARKETING' ? 'MARKETING' : 'TRANSACTIONAL',
    template,
    payload: atProvider === null ? null : { template: atProvider },
    files: [],
    inReplyTo: null,
    reactsTo: null,
    path,
  }
}
