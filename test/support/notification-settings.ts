import {
  AutomationRunsDocument,
  AutomationTemplatesDocument,
  type AutomationTemplatesQueryVariables,
  CreateAppointmentDocument,
  type CreateAppointmentInput,
  NotificationSettingsDocument,
  UpdateNotificationSettingsDocument,
  type UpdateNotificationSettingsInput,
} from '../generated/graphql.ts'
import { brief, contact, nextPhone } from './automations.ts'
import type { TestOrganization } from './organization.ts'
import { member, present } from './result.ts'

type Ask = TestOrganization['ask']
type Booking = Partial<CreateAppointmentInput> & { name?: string | null; phone?: string; email?: string }

/** What the tests ask about an organization's automations, as an ADMIN of it. */
export const configuring = (ask: Ask) => {
  const update = async (input: UpdateNotificationSettingsInput) =>
    present((await ask(UpdateNotificationSettingsDocument, { input })).updateNotificationSettings)
  const texts = async (variables: AutomationTemplatesQueryVariables) =>
    (await ask(AutomationTemplatesDocument, variables)).notificationSettings.automation.templates
  const runs = async (appointmentId: string) =>
    (await ask(AutomationRunsDocument, { filter: { appointmentId } })).automationRuns.nodes.toReversed()
  return {
    settings: async () => (await ask(NotificationSettingsDocument)).notificationSettings,
    /** Throws where it is refused. */
    set: async (input: UpdateNotificationSettingsInput) =>
      member(await update(input), 'UpdateNotificationSettingsSuccess').notificationSettings,
    /** Throws where it is not refused. */
    async refused(input: UpdateNotificationSettingsInput) {
      const answer = await update(input)
      if (answer.__typename === 'UpdateNotificationSettingsSuccess') throw new Error(`it was accepted: ${JSON.stringify(input)}`)
      return answer
    },
    texts,
    /** The one text of a channel. */
    text: async (variables: AutomationTemplatesQueryVariables) => present((await texts(variables))[0]),
    /** For somebody new, where no customer is named. */
    async book({ name = 'Ada Lovelace', phone = nextPhone(), email, ...more }: Booking & { startsAt: string }) {
      const endsAt = new Date(Date.parse(more.startsAt) + 3_600_000).toISOString()
      const input = { customer: contact(phone, name, email), service: 'Haircut', endsAt, ...more }
      return member((await ask(CreateAppointmentDocument, { input })).createAppointment, 'CreateAppointmentSuccess').appointment
    },
    runs,
    /** In the order in which they were planned: what became of each on its channel. */
    brief: async (appointmentId: string) => brief(await runs(appointmentId)),
  }
}

export type Configuring = ReturnType<typeof configuring>
