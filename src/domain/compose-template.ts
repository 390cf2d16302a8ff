import type { OutgoingTemplate } from '../channels/channel.ts'
import type { Template } from '../db/generated/client.ts'
import type { Tx } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { NotFoundError, ValidationError } from './errors.ts'
import { type Rendered, renderTemplate } from './render-template.ts'
import type { Recipient } from './resolve-recipient.ts'
import { templateValues } from './template-values.ts'

/**
 * The template with its values filled in. Throws NotFoundError, or a ValidationError that lists the variables without a value, or names one
 * that the provider would refuse.
 */
export async function filledTemplate(
  tx: Tx,
  actor: Actor,
  customerId: string,
  { account, adapter }: Pick<Recipient, 'account' | 'adapter'>,
  chosen: { templateId: string; variables?: unknown },
  path: string[],
): Promise<Rendered & { template: Template }> {
  const place = [...path, 'templateId']
  const template = await tx.template.findFirst({ where: { id: chosen.templateId, organizationId: actor.organizationId } })
  if (template === null) throw new NotFoundError('template', place)
  if (template.channel !== null && template.channel !== account.channel)
    throw new ValidationError(`The template is for ${template.channel}, the message goes by ${account.channel}.`, place)
  if (template.channelAccountId !== null && template.channelAccountId !== account.id)
    throw new ValidationError("The template is another channel account's; the message does not go by that one.", place)
  const customer = await tx.customer.findUniqueOrThrow({ where: { id: customerId } })
  const values = await templateValues(tx, actor, customer, chosen.variables, [...path, 'variables'])
  const rendered = renderTemplate(template, values)
  if (rendered.missingVariables.length > 0)
    throw new ValidationError(`The template needs values for: ${rendered.missingVariables.join(', ')}.`, [...path, 'variables'])
  const atProvider = providersTemplate(template, rendered.variables)
  checkTemplateFault(adapter, atProvider, path)
  return { ...rendered, template }
}

/** Throws a ValidationError that names what the provider would refuse, under the input that `path` names. */
export function checkTemplateFault(
  adapter: Pick<Recipient['adapter'], 'templateFault'>,
  atProvider: OutgoingTemplate | null,
  path: string[],
): void {
  const fault = atProvider === null ? null : (adapter.templateFault?.(atProvider) ?? null)
  if (fault !== null)
    throw new ValidationError(fault.message, fault.variable === null ? [...path, 'templateId'] : [...path, 'variables', fault.variable])
}

/** What the provider is told; null: it knows nothing of this template. */
export const providersTemplate = (template: Template, variables: Record<string, string>): OutgoingTemplate | null =>
  template.providerTemplateId === null
    ? null
    : { id: template.providerTemplateId, name: template.name, language: template.language, variables, components: template.components }
