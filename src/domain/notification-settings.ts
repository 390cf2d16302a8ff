import type { Automation } from '../db/generated/client.ts'
import { AutomationKind } from '../db/generated/enums.ts'
import type { Tx } from '../events/transact.ts'
import { type AutomationSetting, defaultSetting } from './automation-defaults.ts'
import { type RecipientClock, recipientTimezone } from './recipient-timezone.ts'
import { type QuietHours, quietUntil } from './time-zones.ts'

/** Everything that an organization has set for the messages that go out by themselves, defaults filled in. */
export type Settings = {
  organizationId: string
  /** What customers know it by. */
  businessName: string
  timezone: string
  language: string
  reviewLink: string | null
  /** In the recipient's time zone; null: messages go out at any time. */
  quietHours: QuietHours | null
  automations: Readonly<Record<AutomationKind, AutomationSetting>>
}

export async function readSettings(tx: Tx, organizationId: string): Promise<Settings> {
  const organization = await tx.organization.findUniqueOrThrow({ where: { id: organizationId } })
  const own = await tx.notificationSettings.findUnique({ where: { organizationId } })
  const rows = await tx.automation.findMany({ where: { organizationId } })
  const { quietFrom, quietUntil } = own ?? {}
  return {
    organizationId,
    businessName: own?.businessName ?? organization.name,
    timezone: organization.timezone,
    language: organization.language,
    reviewLink: own?.reviewLink ?? null,
    quietHours: typeof quietFrom === 'number' && typeof quietUntil === 'number' ? { from: quietFrom, until: quietUntil } : null,
    automations: automationsOf(rows),
  }
}

function automationsOf(rows: readonly Automation[]): Settings['automations'] {
  const entries = Object.values(AutomationKind).map((kind) => {
    const { organizationId: _, ...setting } = rows.find((row) => row.kind === kind) ?? { ...defaultSetting(kind), organizationId: '' }
    return [kind, setting]
  })
  return Object.fromEntries(entries) as Settings['automations']
}

/** When the recipient's quiet hours end; null: they do not hold now. */
export const quietEnd = ({ quietHours, timezone }: Settings, recipient: RecipientClock, now: Date): Date | null =>
  quietHours === null ? null : quietUntil(quietHours, recipientTimezone(recipient, timezone, now), now)

/** A customer with what tells their time zone. */
export const customerWithIdentities = (tx: Tx, id: string) =>
  tx.customer.findUniqueOrThrow({ where: { id }, include: { identities: { orderBy: { id: 'asc' } } } })
