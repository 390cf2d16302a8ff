import type { Communication as CommunicationRow } from '../src/db/generated/client.ts'
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
  fields: (t) => ({
    from: t.string({ required: true, description: 'E.g. 21:00.' }),
    until: t.string({ required: true, description: 'E.g. 08:00; exclusive. Another time than `from`.' }),
  }),
})

const Text = builder.inputType('AutomationTemplateInput', {
  description:
    "The organization's own text, in place of the default one, for one channel and language. Absent fields stay as they are; in a language that has no text yet, `body` is needed (and `subject`, of an e-mail). `resetAutomationTemplate` takes it back.",
  fields: (t) => ({
    channel: t.field({ type: ChannelType, required: true }),
    language: t.string({ description: "A language tag, e.g. tr. Absent: the organization's." }),
    subject: t.string({
      description:
        'Of an e-mail, which always has one; refused on other channels, as `html` is. At most 200 characters, with variables as in `body`.',
    }),
    body: t.string({
      description:
        "Plain text of 1 to 20,000 characters, with the automation's `variables` as `{{name}}`; others are refused. Where it is longer than a channel takes, when it is filled in, that channel is passed over (CONTENT_REFUSED).",
    }),
    html: t.string({
      description:
        'Of an e-mail, besides `body`. At most 200,000 characters; null: none. Scripts, forms and styles that move things are taken out.',
    }),
    templateId: t.id({
      description:
        "A template of the provider's for this channel, or one of your own with a `providerTemplateId`, to be sent in place of the text; null: none. It may still wait for its approval.",
    }),
    templateVariables: t.field({
      type: 'JSON',
      description:
        'What fills in each variable of that template: the name of one of the automation\'s `variables`, e.g. `{ "1": "customer_name" }`. Not needed where the names are the same.',
    }),
  }),
})

const Automation = builder.inputType('AutomationInput', {
  description:
    'One automation; each kind at most once. Absent fields stay as they are; those of another kind are refused, unless they say what `notificationSettings` says.',
  fields: (t) => ({
    kind: t.field({ type: AutomationKind, required: true }),
    enabled: t.boolean({
      description:
        'Switched off, nothing is planned, and what is planned already is skipped when it is due (AUTOMATION_OFF), unless it is switched on again before.',
    }),
    channels: t.field({
      type: [ChannelType],
      description: 'At least one and none twice, in the order in which they are tried; also by what is planned already.',
    }),
    delayMinutes: t.int({ description: '0 to 43,200 (30 days); not of APPOINTMENT_REMINDER. What is planned already keeps its time.' }),
    reminderMinutes: t.intList({
      description:
        'Of APPOINTMENT_REMINDER: 1 to 5 different times of 5 to 86,400 minutes (60 days) before. New ones are planned for appointments that are booked already; those of one that is taken out are skipped when they are due (SETTINGS_CHANGED).',
    }),
    lateReminder: t.field({ type: LateReminder, description: 'Of APPOINTMENT_REMINDER.' }),
    afterCompletion: t.boolean({ description: 'Of REVIEW_REQUEST: also after a completed appointment, `delayMinutes` later.' }),
    templates: t.field({ type: [Text], description: 'Texts to be written, for any channels and languages; the others stay.' }),
  }),
})

const Update = builder.inputType('UpdateNotificationSettingsInput', {
  description: 'Absent fields stay as they are; so do those that are null, where null is not said to mean something.',
  fields: (t) => ({
    businessName: t.string({ description: "At most 200 characters; null: the organization's name." }),
    timezone: t.string({
      description: 'IANA name, e.g. Europe/Istanbul. Appointments that are booked already keep the one that they were booked in.',
    }),
    language: t.string({
      description:
        "A language tag of at most 35 characters, e.g. tr or en-GB. The texts that were written in the one before stay that one's.",
    }),
    reviewLink: t.string({
      description:
        'A web address with https:// or http://, of at most 2,000 characters; null: none. Without one, texts with {{review_link}} are not sent (MISSING_VALUE).',
    }),
    quietHours: t.field({ type: QuietHours, description: 'null: none.' }),
    automations: t.field({ type: [Automation], description: 'Those that are to be changed.' }),
  }),
})

const UpdateSuccess = builder.objectRef<{ settings: Settings }>('UpdateNotificationSettingsSuccess').implement({
  fields: (t) => ({
    notificationSettings: t.field({ type: NotificationSettings, description: 'As they are now.', resolve: ({ settings }) => settings }),
  }),
})

const Reset = builder.inputType('ResetAutomationTemplateInput', {
  description: 'Which text.',
  fields: (t) => ({
    kind: t.field({ type: AutomationKind, required: true }),
    channel: t.field({ type: ChannelType, required: true }),
    language: t.string({ description: "Absent: the organization's." }),
  }),
})

const ResetSuccess = builder.objectRef<Awaited<ReturnType<typeof resetTemplate>>>('ResetAutomationTemplateSuccess').implement({
  fields: (t) => ({
    automationTemplate: t.field({
      type: AutomationTemplate,
      description: 'The text that holds now.',
      resolve: (now) => now,
    }),
  }),
})

const SendTest = builder.inputType('SendTestNotificationInput', {
  description: 'Which text, and where to.',
  fields: (t) => ({
    kind: t.field({ type: AutomationKind, required: true }),
    channel: t.field({ type: ChannelType, required: true }),
    language: t.string({ description: "Of the text. Absent: the organization's." }),
    to: t.string({
      description:
        'Your own number or address, as the channel spells it. Absent: the e-mail address of your token, on EMAIL; needed on others.',
    }),
    idempotencyKey: t.string({
      description: '1 to 200 characters. The same key and input send once, also where the texts have changed meanwhile.',
    }),
  }),
})

const SendTestSuccess = builder.objectRef<{ communication: CommunicationRow }>('SendTestNotificationSuccess').implement({
  fields: (t) => ({ communication: t.field({ type: Communication, resolve: ({ communication }) => communication }) }),
})

/** Absent is not null: absent leaves the template as it is. */
const withLocalId = <Text extends { templateId?: string | null }>(text: Text, path: string[]): Text =>
  text.templateId === undefined ? text : { ...text, templateId: optionalId('Template', text.templateId, [...path, 'templateId']) }

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
          templates: automation.templates?.map((text, place) =>
            withLocalId(text, ['input', 'automations', `${index}`, 'templates', `${place}`]),
          ),
        })),
      }),
    }),
  }),
  resetAutomationTemplate: t.field({
    type: ResetSuccess,
    description:
      'ADMIN. The default text takes the place of the organization’s own again, and of the template that it chose. Changes nothing where it has none.',
    authScopes,
    errors: { types: [ValidationError] },
    args: { input: t.arg({ type: Reset, required: true }) },
    resolve: (_root, { input }, context) => resetTemplate(context.deps, actorOf(context), input),
  }),
  sendTestNotification: t.field({
    type: SendTestSuccess,
    description:
      'ADMIN. Sends to yourself what a customer would get, with sample values, at once and by the rules of `sendMessage`: also where the automation is switched off, and in quiet hours. It is no automated message: `automationRuns` does not have it. Your number or address becomes a customer, as whoever writes or is written to does.',
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
