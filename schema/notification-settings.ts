import * as db from '../src/db/generated/enums.ts'
import type { AutomationSetting } from '../src/domain/automation-defaults.ts'
import { mappingOf } from '../src/domain/automation-link.ts'
import { type ChosenText, chooseText } from '../src/domain/automation-templates.ts'
import { variablesOf } from '../src/domain/automation-variables.ts'
import { checkedLanguage } from '../src/domain/languages.ts'
import { readSettings, type Settings } from '../src/domain/notification-settings.ts'
import { previewText, somebody } from '../src/domain/preview-automation.ts'
import { timeOfDay } from '../src/domain/time-zones.ts'
import { builder } from './builder.ts'
import { organizationOf } from './context.ts'
import { AutomationKind, ChannelType, LateReminder } from './enums.ts'
import { optionalId } from './global-id.ts'
import { batched } from './loaders.ts'
import { Template, TemplatePreview } from './template.ts'

/** A text, among the settings that fill it in. */
type InTemplate = { settings: Settings; text: ChosenText }

export const AutomationTemplate = builder.objectRef<InTemplate>('AutomationTemplate').implement({
  description:
    "The text of an automation on one channel, in one language: the default one, or the organization's own. Where `template` is set, that one of the provider's is sent in its place, also outside of WhatsApp's messaging window.",
  fields: (t) => ({
    kind: t.field({ type: AutomationKind, resolve: ({ text }) => text.kind }),
    channel: t.field({ type: ChannelType, resolve: ({ text }) => text.channel }),
    language: t.string({
      description:
        'Of this text; another one than was asked for where none is in that. There are default texts in English and Turkish; for other languages the text in the organization’s stands in, or the English one.',
      resolve: ({ text }) => text.language,
    }),
    subject: t.string({ nullable: true, description: 'Of an e-mail; null on other channels.', resolve: ({ text }) => text.subject }),
    body: t.string({ description: 'Plain text, with variables as `{{name}}`.', resolve: ({ text }) => text.body }),
    html: t.string({
      nullable: true,
      description: 'Of an e-mail, besides the plain `body`; sanitized when it is saved. null: the e-mail is plain text.',
      resolve: ({ text }) => text.html,
    }),
    isDefault: t.boolean({
      description: 'Nobody has changed it. `resetAutomationTemplate` makes it true again.',
      resolve: ({ text }) => text.row === null,
    }),
    template: t.field({
      type: Template,
      nullable: true,
      description:
        "One of the provider's, or with a counterpart there, that is sent in place of the text; null: the text is sent. While its `status` is not APPROVED, this channel is passed over (TEMPLATE_NOT_APPROVED). A MARKETING one asks for the customer's consent to marketing.",
      resolve: ({ text }) => text.row?.templateId ?? null,
    }),
    templateVariables: t.field({
      type: 'JSON',
      description: 'What fills in each variable of `template`, e.g. `{ "1": "customer_name" }`; empty where there is none.',
      resolve: ({ text }) => mappingOf(text.row),
    }),
    preview: t.field({
      type: TemplatePreview,
      nullable: true,
      description:
        'What the message reads like, for a customer or for a sample one: of `template`, where that is set. Nothing is sent. A review request and a missed call are about no appointment, unless one is given.',
      complexity: 5,
      args: {
        customerId: t.arg.id({ description: 'Absent: a sample customer, or that of the appointment.' }),
        appointmentId: t.arg.id({ description: "One of this customer's. Absent: their next one, or a sample." }),
      },
      resolve: async ({ settings, text }, args, context) => {
        const { deps } = context
        const customerId = optionalId('Customer', args.customerId, ['customerId'])
        const appointmentId = optionalId('Appointment', args.appointmentId, ['appointmentId'])
        const { organizationId } = settings
        const whom = await batched(context, 'preview for', { customerId, appointmentId }, organizationId, async () => {
          return new Map([[organizationId, { found: await somebody(deps, organizationId, { customerId, appointmentId }) }]])
        })
        return previewText(deps, settings, text, whom.found)
      },
    }),
  }),
})

type InSettings = { settings: Settings; setting: AutomationSetting }

const Automation = builder.objectRef<InSettings>('Automation').implement({
  description: 'How one kind of automated message is set: by default until `updateNotificationSettings` changes it.',
  fields: (t) => ({
    kind: t.field({ type: AutomationKind, resolve: ({ setting }) => setting.kind }),
    enabled: t.boolean({ description: 'false: no message of this kind goes out.', resolve: ({ setting }) => setting.enabled }),
    channels: t.field({
      type: [ChannelType],
      description: 'In the order in which they are tried: the first that can be used carries the message.',
      resolve: ({ setting }) => setting.channels,
    }),
    delayMinutes: t.int({
      description: 'After its cause, e.g. the end of the missed call; 0: at once. Always 0 of APPOINTMENT_REMINDER.',
      resolve: ({ setting }) => setting.delayMinutes,
    }),
    reminderMinutes: t.intList({
      description:
        'Of APPOINTMENT_REMINDER: how long before the appointment, one reminder each, longest first; empty for other kinds. 1440 is 24 hours of elapsed time: where the clocks change in between, the time of day is another.',
      resolve: ({ setting }) => setting.reminderMinutes,
    }),
    lateReminder: t.field({
      type: LateReminder,
      nullable: true,
      description: 'Of APPOINTMENT_REMINDER; null for other kinds.',
      resolve: ({ setting }) => (setting.kind === 'APPOINTMENT_REMINDER' ? setting.lateReminder : null),
    }),
    afterCompletion: t.boolean({
      description: 'Of REVIEW_REQUEST: also after a completed appointment.',
      resolve: ({ setting }) => setting.afterCompletion,
    }),
    variables: t.stringList({
      description: 'What its texts may use, as `{{name}}`.',
      resolve: ({ setting }) => [...variablesOf(setting.kind)],
    }),
    templates: t.field({
      type: [AutomationTemplate],
      description: 'One text for each channel.',
      complexity: { field: 1, multiplier: Object.keys(db.ChannelType).length },
      args: {
        channel: t.arg({ type: ChannelType, description: 'Only that of this channel.' }),
        language: t.arg.string({
          description: "A language tag, e.g. tr. Absent: the organization's. Where none is in it, see `language` of the text.",
        }),
      },
      resolve: async ({ settings, setting: { kind } }, args, context) => {
        const { organizationId } = settings
        const rows = await batched(context, 'automation templates', null, organizationId, async () => {
          return new Map([[organizationId, await context.deps.db.automationTemplate.findMany({ where: { organizationId } })]])
        })
        const language = checkedLanguage(args.language ?? settings.language, ['language'])
        const channels = args.channel ? [args.channel] : Object.values(db.ChannelType)
        return channels.map((channel) => ({ settings, text: chooseText(rows, { kind, channel }, [language, settings.language]) }))
      },
    }),
  }),
})

const QuietHours = builder.objectRef<NonNullable<Settings['quietHours']>>('QuietHours').implement({
  description: 'From one time of day to another, over midnight where the first is the later one.',
  fields: (t) => ({
    from: t.string({ description: 'E.g. 21:00.', resolve: ({ from }) => timeOfDay(from) }),
    until: t.string({ description: 'E.g. 08:00; exclusive.', resolve: ({ until }) => timeOfDay(until) }),
  }),
})

const automationOf = (settings: Settings, kind: db.AutomationKind): InSettings => ({ settings, setting: settings.automations[kind] })

export const NotificationSettings = builder.objectRef<Settings>('NotificationSettings').implement({
  description: 'Everything about the messages that go out by themselves. Everybody in the organization may read it; an ADMIN changes it.',
  fields: (t) => ({
    businessName: t.exposeString('businessName', {
      description: "What customers know the business by; the organization's name until it is set.",
    }),
    timezone: t.exposeString('timezone', {
      description: "IANA name: of the organization's days, and of appointments without one of their own.",
    }),
    language: t.exposeString('language', { description: 'Of messages to customers whose own language is not known.' }),
    reviewLink: t.exposeString('reviewLink', {
      nullable: true,
      description: 'What {{review_link}} stands for. null: texts that use it are not sent (MISSING_VALUE).',
    }),
    quietHours: t.field({
      type: QuietHours,
      nullable: true,
      description:
        "In the recipient's time zone (see `Customer.timezone`): automated and scheduled messages wait until they end. null: none.",
      resolve: ({ quietHours }) => quietHours,
    }),
    automations: t.field({
      type: [Automation],
      description: 'All of them, in the order of AutomationKind.',
      complexity: { field: 1, multiplier: Object.keys(db.AutomationKind).length },
      resolve: (settings) => Object.values(db.AutomationKind).map((kind) => automationOf(settings, kind)),
    }),
    automation: t.field({
      type: Automation,
      description: 'One of them.',
      args: { kind: t.arg({ type: AutomationKind, required: true }) },
      resolve: (settings, { kind }) => automationOf(settings, kind),
    }),
  }),
})

builder.queryField('notificationSettings', (t) =>
  t.field({
    type: NotificationSettings,
    description: 'What goes out by itself, when, by which channels and in which words.',
    resolve: (_root, _args, context) => readSettings(context.deps.db, organizationOf(context)),
  }),
)
