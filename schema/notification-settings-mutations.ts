import type { Communication as CommunicationRow } from '../src/db/generated/client.ts'
import { type ChosenText, chooseText } from '../src/domain/automation-templates.ts'
import {
  BodyTooLongError,
  ChannelNotConnectedError,
  IdempotencyConflictError,
  MessagingWindowClosedError,
  NotFoundError,
  RecipientOptedOutError,
  TemplateNotApprovedError,
  ValidationError,
} from '../src/domain/errors.ts'
import type { Settings } from '../src/domain/notification-settings.ts'
import { sendTest } from '../src/domain/send-test.ts'
import { resetTemplate, updateNotificationSettings } from '../src/domain/update-notification-settings.ts'
import { builder } from './builder.ts'
import { Communication } from './communication.ts'
import { actorOf } from './context.ts'
import { AutomationKind, ChannelType, LateReminder } from './enums.ts'
import { optionalId } from './global-id.ts'
import { AutomationTemplate, NotificationSettings } from './notification-settings.ts'

const QuietHours = builder.inputType('QuietHoursInput', {
  description: 'Times of day from 00:00 to 23:59; over midnight where `from` is the later one.',
  fields: (t) => ({ from: t.string({ required: true }), until: t.string({ required: true, description: 'Exclusive.' }) }),
})

const Text = builder.inputType('AutomationTemplateInput', {
  description: 'Absent fields stay as they are.',
  fields: (t) => ({
    channel: t.field({ type: ChannelType, required: true }),
    language: t.string({ description: "A language tag, e.g. tr. Absent: the organization's." }),
    subject: t.string({ description: 'Of an e-mail, as `html`.' }),
    body: t.string({
      description: 'Plain text of 1 to 20,000 characters, with the variables of the automation as `{{name}}`; others are refused.',
    }),
    html: t.string({ description: 'At most 200,000 characters; null: none. Scripts, forms and styles that move things are taken out.' }),
    templateId: t.id({ description: "One of the provider's templates, to be sent in place of the text; null: none." }),
    templateVariables: t.field({
      type: 'JSON',
      description:
        'What fills in each variable of that template, e.g. `{ "1": "customer_name" }`; not needed where the names are the same.',
    }),
  }),
})

const Automation = builder.inputType('AutomationInput', {
  description: 'Absent fields stay as they are.',
  fields: (t) => ({
    kind: t.field({ type: AutomationKind, required: true }),
    enabled: t.boolean(),
    channels: t.field({ type: [ChannelType], description: 'At least one, in the order in which they are tried.' }),
    delayMinutes: t.int({ description: '0 to 43,200 (30 days); not of APPOINTMENT_REMINDER.' }),
    reminderMinutes: t.intList({ description: 'Of APPOINTMENT_REMINDER: 1 to 5 times of 5 to 86,400 minutes (60 days) before.' }),
    lateReminder: t.field({ type: LateReminder, description: 'Of APPOINTMENT_REMINDER.' }),
    afterCompletion: t.boolean({ description: 'Of REVIEW_REQUEST.' }),
    templates: t.field({ type: [Text] }),
  }),
})

const Update = builder.inputType('UpdateNotificationSettingsInput', {
  description: 'Absent fields stay as they are.',
  fields: (t) => ({
    businessName: t.string({ description: "At most 200 characters; null: the organization's name." }),
    timezone: t.string({ description: 'IANA name, e.g. Europe/Istanbul.' }),
    language: t.string({ description: 'A language tag, e.g. tr or en-GB.' }),
    reviewLink: t.string({ description: 'A web address; null: none.' }),
    quietHours: t.field({ type: QuietHours, description: 'null: none.' }),
    automations: t.field({ type: [Automation] }),
  }),
})

const UpdateSuccess = builder.objectRef<{ settings: Settings }>('UpdateNotificationSettingsSuccess').implement({
  fields: (t) => ({ notificationSettings: t.field({ type: NotificationSettings, resolve: ({ settings }) => settings }) }),
})

const Reset = builder.inputType('ResetAutomationTemplateInput', {
  fields: (t) => ({
    kind: t.field({ type: AutomationKind, required: true }),
    channel: t.field({ type: ChannelType, required: true }),
    language: t.string({ description: "Absent: the organization's." }),
  }),
})

const ResetSuccess = builder.objectRef<{ text: ChosenText }>('ResetAutomationTemplateSuccess').implement({
  fields: (t) => ({ automationTemplate: t.field({ type: AutomationTemplate, resolve: ({ text }) => text }) }),
})

const SendTest = builder.inputType('SendTestNotificationInput', {
  fields: (t) => ({
    kind: t.field({ type: AutomationKind, required: true }),
    channel: t.field({ type: ChannelType, required: true }),
    language: t.string({ description: "Of the text. Absent: the organization's." }),
    to: t.string({ description: 'Your own number or address. Absent: the e-mail address of your token, on EMAIL.' }),
    idempotencyKey: t.string({ description: '1 to 200 characters. The same key and input send once.' }),
  }),
})

const SendTestSuccess = builder.objectRef<{ communication: CommunicationRow }>('SendTestNotificationSuccess').implement({
  fields: (t) => ({ communication: t.field({ type: Communication, resolve: ({ communication }) => communication }) }),
})

const authScopes = { role: 'ADMIN' } as const

builder.mutationFields((t) => ({
  updateNotificationSettings: t.field({
    type: UpdateSuccess,
    description: 'ADMIN. All of it happens, or nothing. Reminders that are new are planned for appointments that are booked already.',
    authScopes,
    errors: { types: [ValidationError, NotFoundError] },
    args: { input: t.arg({ type: Update, required: true }) },
    resolve: async (_root, { input }, context) => ({
      settings: await updateNotificationSettings(context.deps, actorOf(context), {
        ...input,
        automations: input.automations?.map((automation, index) => ({
          ...automation,
          templates: automation.templates?.map(({ templateVariables, ...text }, place) => ({
            ...text,
            variables: templateVariables,
            ...(text.templateId === undefined
              ? {}
              : {
                  templateId: optionalId('Template', text.templateId, [
                    'input',
                    'automations',
                    String(index),
                    'templates',
                    String(place),
                    'templateId',
                  ]),
                }),
          })),
        })),
      }),
    }),
  }),
  resetAutomationTemplate: t.field({
    type: ResetSuccess,
    description: 'ADMIN. The default text takes the place of the organization’s own again.',
    authScopes,
    errors: { types: [ValidationError] },
    args: { input: t.arg({ type: Reset, required: true }) },
    resolve: async (_root, { input }, context) => {
      const { kind, channel } = input
      const settings = await resetTemplate(context.deps, actorOf(context), input)
      return { text: chooseText([], { kind, channel }, [input.language ?? settings.language]) }
    },
  }),
  sendTestNotification: t.field({
    type: SendTestSuccess,
    description:
      'ADMIN. Sends to yourself what a customer would get, with sample values, by the rules of `sendMessage`. Your number or address becomes a customer, as whoever writes or is written to does.',
    authScopes,
    errors: {
      types: [
        ValidationError,
        ChannelNotConnectedError,
        RecipientOptedOutError,
        MessagingWindowClosedError,
        BodyTooLongError,
        TemplateNotApprovedError,
        IdempotencyConflictError,
      ],
    },
    args: { input: t.arg({ type: SendTest, required: true }) },
    resolve: async (_root, { input }, context) => ({ communication: await sendTest(context.deps, actorOf(context), input) }),
  }),
}))
