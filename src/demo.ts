import type { Deps } from './deps.ts'
import { connectChannelAccount } from './domain/channel-accounts.ts'
import { createOrganization } from './domain/create-organization.ts'
import { createTemplate } from './domain/templates.ts'

export const DEMO_SLUG = 'demo'

/** In a database without organizations: one to play with, whose messages never leave the machine. */
export async function seedDemo(deps: Deps): Promise<void> {
  if ((await deps.db.organization.count()) > 0) return
  const organization = await createOrganization(deps, { slug: DEMO_SLUG, name: 'Demo' })
  const actor = { organizationId: organization.id, memberId: null }
  await connectChannelAccount(deps, actor, {
    channel: 'SMS',
    name: 'Sandbox SMS',
    address: '+15005550006',
    credentials: { sandbox: {} },
  })
  await connectChannelAccount(deps, actor, {
    channel: 'WHATSAPP',
    name: 'Sandbox WhatsApp',
    address: '+14155238886',
    credentials: { sandbox: {} },
  })
  await createTemplate(deps, actor, {
    name: 'Ready for pick-up',
    body: 'Hello {{customer_name}}, your {{item}} is ready. {{organization_name}}',
    purpose: 'UTILITY',
  })
  deps.log.info({ organization: DEMO_SLUG }, 'demo organization made')
}
