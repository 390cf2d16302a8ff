import type { AutomationKind, ChannelType, LateReminder } from '../db/generated/enums.ts'

/** How an automation is set. Minutes. */
export type AutomationSetting = {
  kind: AutomationKind
  enabled: boolean
  /** In the order in which they are tried. */
  channels: ChannelType[]
  /** After its cause; of a reminder always 0. */
  delayMinutes: number
  /** Before the appointment, longest first; of reminders alone. */
  reminderMinutes: number[]
  /** What becomes of a reminder whose time had passed when the appointment was made. */
  lateReminder: LateReminder
  /** Of the review request: it also follows a completed appointment. */
  afterCompletion: boolean
}

/** What is sent in place of a text of the organization's own. */
export type AutomationText = { subject: string | null; body: string; html: string | null }

const shared = {
  enabled: true,
  channels: ['WHATSAPP', 'SMS', 'EMAIL'],
  delayMinutes: 0,
  reminderMinutes: [],
  lateReminder: 'SKIP',
  afterCompletion: false,
} satisfies Omit<AutomationSetting, 'kind'>

const DAY = 24 * 60

const special: Partial<Record<AutomationKind, Partial<AutomationSetting>>> = {
  APPOINTMENT_REMINDER: { reminderMinutes: [DAY] },
  MISSED_CALL_FOLLOW_UP: { delayMinutes: 15 },
}

export const defaultSetting = (kind: AutomationKind): AutomationSetting => ({ ...shared, ...special[kind], kind })

type Texts = Record<AutomationKind, { subject: string; body: string }>

const en: Texts = {
  BOOKING_CONFIRMATION: {
    subject: 'Your appointment at {{business_name}}',
    body: 'Hi {{customer_name}}, your appointment for {{service_name}} is booked: {{appointment_date}} at {{appointment_time}}. {{business_name}}',
  },
  RESCHEDULE_NOTICE: {
    subject: 'Your appointment has a new time',
    body: 'Hi {{customer_name}}, your appointment for {{service_name}} has been moved to {{appointment_date}} at {{appointment_time}}. {{business_name}}',
  },
  CANCELLATION_NOTICE: {
    subject: 'Your appointment has been canceled',
    body: 'Hi {{customer_name}}, your appointment for {{service_name}} on {{appointment_date}} at {{appointment_time}} has been canceled. {{business_name}}',
  },
  APPOINTMENT_REMINDER: {
    subject: 'Reminder: your appointment at {{business_name}}',
    body: 'Hi {{customer_name}}, a reminder of your appointment for {{service_name}} on {{appointment_date}} at {{appointment_time}}. See you soon! {{business_name}}',
  },
  MISSED_CALL_FOLLOW_UP: {
    subject: 'We missed your call',
    body: 'Hi {{customer_name}}, sorry that we missed your call. How can we help? Just answer this message. {{business_name}}',
  },
  REVIEW_REQUEST: {
    subject: 'How was it?',
    body: 'Hi {{customer_name}}, thank you for choosing {{business_name}}. Would you tell others how it was? {{review_link}}',
  },
}

const tr: Texts = {
  BOOKING_CONFIRMATION: {
    subject: '{{business_name}} randevunuz',
    body: 'Merhaba {{customer_name}}, {{service_name}} randevunuz oluşturuldu: {{appointment_date}}, saat {{appointment_time}}. {{business_name}}',
  },
  RESCHEDULE_NOTICE: {
    subject: 'Randevunuzun saati değişti',
    body: 'Merhaba {{customer_name}}, {{service_name}} randevunuzun yeni zamanı: {{appointment_date}}, saat {{appointment_time}}. {{business_name}}',
  },
  CANCELLATION_NOTICE: {
    subject: 'Randevunuz iptal edildi',
    body: 'Merhaba {{customer_name}}, {{service_name}} randevunuz ({{appointment_date}}, saat {{appointment_time}}) iptal edildi. {{business_name}}',
  },
  APPOINTMENT_REMINDER: {
    subject: 'Hatırlatma: {{business_name}} randevunuz',
    body: 'Merhaba {{customer_name}}, {{service_name}} randevunuzu hatırlatmak isteriz: {{appointment_date}}, saat {{appointment_time}}. Görüşmek üzere! {{business_name}}',
  },
  MISSED_CALL_FOLLOW_UP: {
    subject: 'Aramanızı kaçırdık',
    body: 'Merhaba {{customer_name}}, aramanıza yanıt veremediğimiz için üzgünüz. Size nasıl yardımcı olabiliriz? Bu mesajı yanıtlamanız yeterli. {{business_name}}',
  },
  REVIEW_REQUEST: {
    subject: 'Deneyiminiz nasıldı?',
    body: 'Merhaba {{customer_name}}, {{business_name}} olarak bizi tercih ettiğiniz için teşekkür ederiz. Deneyiminizi paylaşır mısınız? {{review_link}}',
  },
}

export const DEFAULT_LANGUAGE = 'en'

const catalog = new Map<string, Texts>([
  [DEFAULT_LANGUAGE, en],
  ['tr', tr],
])

export const defaultLanguages: readonly string[] = [...catalog.keys()]

/** The default text in a language that has one, else null. E-mails have a subject. */
export function defaultText(kind: AutomationKind, channel: ChannelType, language: string): AutomationText | null {
  const text = catalog.get(language)?.[kind]
  if (text === undefined) return null
  return { subject: channel === 'EMAIL' ? text.subject : null, body: text.body, html: null }
}
