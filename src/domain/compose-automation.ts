import type { Appointment, Customer, Template } from '../db/generated/client.ts'
import type { AutomationKind, ChannelType } from '../db/generated/enums.ts'
import type { Tx } from '../events/transact.ts'
import { mappingOf } from './automation-link.ts'
import { MissingValueError } from './automation-reasons.ts'
import { type ChosenText, chooseText, languagesFor } from './automation-templates.ts'
import { braced, type Scene, valuesOf } from './automation-variables.ts'
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
export async function fillAutomation(tx: Tx, occasion: Occasion, channel: ChannelType, language?: string): Promise<Filled> {
  const { kind, settings, customer } = occasion
  const rows = await tx.automationTemplate.findMany({ where: { organizationId: settings.organizationId, kind, channel } })
  const languages = languagesFor({ language: language ?? customer.language }, settings)
  return fillText(tx, occasion, chooseText(rows, { kind, channel }, languages))
}

export async function fillText(tx: Tx, { settings, customer, appointment }: Occasion, text: ChosenText): Promise<Filled> {
  const { organizationId, businessName, reviewLink } = settings
  const { language, dateLanguage } = text
  const scene = appointment === null ? null : await sceneOf(tx, organizationId, appointment)
  const values = valuesOf({ businessName, reviewLink, language, dateLanguage, customer, appointment: scene })
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

/** By the template's names; one that it has got since it was chosen may be one of ours. */
function mapped(values: Record<string, string>, mapping: Record<string, string>): Record<string, string> {
  const theirs = Object.entries(mapping).flatMap(([name, ours]) => {
    const value = values[ours]
    return value === undefined ? [] : [[name, value]]
  })
  return { ...values, ...Object.fromEntries(theirs) }
}

/** Says what to do about it. */
export function missingValues(names: readonly string[], path: string[]): MissingValueError {
  const what = `There is no value for ${braced(names)}`
  const way = names.includes('review_link')
    ? 'set the review link in the notification settings, or take it out of the text'
    : 'take it out of the text, or use words that hold for every customer'
  return new MissingValueError(`${what}: ${way}.`, path)
}

/** The message, before any channel's rules. Throws MissingValueError, and ValidationError where the provider would refuse a value. */
export function composeAutomation({ kind, settings }: Occasion, { text, template, rendered }: Filled, { adapter }: Recipient): Composed {
  const path = ['template']
  if (rendered.missingVariables.length > 0) throw missingValues(missingNames({ text, rendered }), path)
  const atProvider = template === null ? null : providersTemplate(template, rendered.variables)
  checkTemplateFault(adapter, atProvider, path)
  const name = template?.name ?? kind.toLowerCase()
  return {
    content: { kind: 'TEMPLATE', name, language: template?.language ?? text.language, variables: rendered.variables },
    body: rendered.body,
    subject: text.channel === 'EMAIL' ? (rendered.subject ?? settings.businessName) : null,
    html: rendered.html,
    // Who wants no advertisements is not asked for a review either.
    purpose: kind === 'REVIEW_REQUEST' || template?.purpose === 'MARKETING' ? 'MARKETING' : 'TRANSACTIONAL',
    template,
    payload: atProvider === null ? null : { template: atProvider },
    files: [],
    inReplyTo: null,
    reactsTo: null,
    path,
  }
}

/** By our names: {{1}} of a provider's template says nothing to who reads it. */
export const missingNames = ({ text: { row }, rendered }: Pick<Filled, 'text' | 'rendered'>): string[] =>
  rendered.missingVariables.map((name) => mappingOf(row)[name] ?? name)
