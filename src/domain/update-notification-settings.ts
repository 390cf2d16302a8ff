import { isDeepStrictEqual } from 'node:util'
import type { AutomationKind, ChannelType, LateReminder } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { type Tx, transact } from '../events/transact.ts'
import { enqueue } from '../jobs/enqueue.ts'
import type { Actor } from './actor.ts'
import type { AutomationSetting } from './automation-defaults.ts'
import {
  type AutomationTemplateInput,
  type ChosenText,
  chooseText,
  resetAutomationTemplate,
  saveAutomationTemplate,
} from './automation-templates.ts'
import { ValidationError } from './errors.ts'
import { checkedLanguage } from './languages.ts'
import { readSettings, type Settings } from './notification-settings.ts'
import { optionalText } from './text.ts'
import { checkedTimeZone, minuteOfDay, type QuietHours } from './time-zones.ts'

export type AutomationInput = {
  kind: AutomationKind
  enabled?: boolean | null
  channels?: ChannelType[] | null
  delayMinutes?: number | null
  reminderMinutes?: number[] | null
  lateReminder?: LateReminder | null
  afterCompletion?: boolean | null
  templates?: AutomationTemplateInput[] | null
}

export type NotificationSettingsInput = {
  businessName?: string | null
  timezone?: string | null
  language?: string | null
  reviewLink?: string | null
  quietHours?: { from: string; until: string } | null
  automations?: AutomationInput[] | null
}

const MAX_DELAY = 30 * 24 * 60
const MAX_AHEAD = 60 * 24 * 60
const MIN_AHEAD = 5
const MAX_REMINDERS = 5

/** Absent fields stay as they are; all of it happens, or nothing. Throws ValidationError, NotFoundError. */
export async function updateNotificationSettings(
  deps: Pick<Deps, 'db' | 'bus' | 'channels'>,
  actor: Actor,
  input: NotificationSettingsInput,
): Promise<Settings> {
  const { organizationId, memberId } = actor
  return transact(deps, organizationId, async (tx, recorder) => {
    await lockSettings(tx, organizationId)
    const before = await readSettings(tx, organizationId)
    const ofOrganization = checkedOrganization(input)
    const { language = before.language } = ofOrganization
    await writeOwn(tx, organizationId, input)
    const kinds = (input.automations ?? []).map(({ kind }) => kind)
    for (const [index, automation] of (input.automations ?? []).entries()) {
      const path = ['input', 'automations', String(index)]
      if (kinds.indexOf(automation.kind) !== index) throw new ValidationError(`${automation.kind} is there twice.`, [...path, 'kind'])
      await writeAutomation(tx, before, automation, path)
      for (const [place, template] of (automation.templates ?? []).entries())
        await saveAutomationTemplate({ channels: deps.channels, tx }, { organizationId, language }, automation.kind, template, [
          ...path,
          'templates',
          String(place),
        ])
    }
    // The last lock, as `transact` says.
    if (Object.keys(ofOrganization).length > 0) await tx.organization.update({ where: { id: organizationId }, data: ofOrganization })
    const after = await readSettings(tx, organizationId)
    if (hasNewReminders(before.automations.APPOINTMENT_REMINDER, after.automations.APPOINTMENT_REMINDER))
      await planAgain(tx, organizationId)
    recorder.event({ type: 'NOTIFICATION_SETTINGS_CHANGED', actorId: memberId, data: { fields: Object.keys(input) } })
    return after
  })
}

const hasNewReminders = (before: AutomationSetting, after: AutomationSetting): boolean =>
  after.enabled && (!before.enabled || after.reminderMinutes.some((minutes) => !before.reminderMinutes.includes(minutes)))

/**
 * Appointments that are booked already get the reminders that are new; a second time when every transaction that had read the settings as they
 * were is over, because its appointment is not seen before.
 */
async function planAgain(tx: Tx, organizationId: string): Promise<void> {
  const key = `plan-reminders:${organizationId}`
  await enqueue(tx, 'plan-reminders', { organizationId }, { key })
  await enqueue(tx, 'plan-reminders', { organizationId }, { key: `${key}:again`, runAt: new Date(Date.now() + 60_000) })
}

/** The default text holds again, or the organization's own in its language where there is none in this one. Throws ValidationError. */
export async function resetTemplate(
  deps: Pick<Deps, 'db' | 'bus'>,
  actor: Actor,
  input: { kind: AutomationKind; channel: ChannelType; language?: string | null },
): Promise<{ settings: Settings; text: ChosenText }> {
  const { organizationId, memberId } = actor
  return transact(deps, organizationId, async (tx, recorder) => {
    await lockSettings(tx, organizationId)
    const settings = await readSettings(tx, organizationId)
    const language = checkedLanguage(input.language ?? settings.language, ['input', 'language'])
    const { kind, channel } = input
    await resetAutomationTemplate(tx, organizationId, { kind, channel, language })
    recorder.event({ type: 'NOTIFICATION_SETTINGS_CHANGED', actorId: memberId, data: { reset: { kind, channel, language } } })
    const rows = await tx.automationTemplate.findMany({ where: { organizationId, kind, channel } })
    return { settings, text: chooseText(rows, { kind, channel }, [language, settings.language]) }
  })
}

/** Two who change settings at the same time do so one after the other. */
async function lockSettings(tx: Tx, organizationId: string): Promise<void> {
  await tx.notificationSettings.createMany({ data: [{ organizationId }], skipDuplicates: true })
  await tx.$queryRaw`SELECT FROM notification_settings WHERE organization_id = ${organizationId}::uuid FOR UPDATE`
}

const isGiven = <Value>(value: Value | null | undefined): value is Value => value !== null && value !== undefined

const checkedOrganization = ({ timezone, language }: NotificationSettingsInput) => ({
  ...(isGiven(timezone) ? { timezone: checkedTimeZone(timezone, ['input', 'timezone']) } : {}),
  ...(isGiven(language) ? { language: checkedLanguage(language, ['input', 'language']) } : {}),
})

async function writeOwn(tx: Tx, organizationId: string, input: NotificationSettingsInput): Promise<void> {
  const quiet = input.quietHours === undefined ? undefined : checkedQuietHours(input.quietHours)
  const data = {
    ...(input.businessName === undefined ? {} : { businessName: optionalText(input.businessName, ['input', 'businessName'], 200) }),
    ...(input.reviewLink === undefined ? {} : { reviewLink: checkedLink(input.reviewLink) }),
    ...(quiet === undefined ? {} : { quietFrom: quiet?.from ?? null, quietUntil: quiet?.until ?? null }),
  }
  await tx.notificationSettings.update({ where: { organizationId }, data })
}

function checkedQuietHours(given: { from: string; until: string } | null): QuietHours | null {
  if (given === null) return null
  const path = ['input', 'quietHours']
  const [from, until] = [minuteOfDay(given.from, [...path, 'from']), minuteOfDay(given.until, [...path, 'until'])]
  if (from === until)
    throw new ValidationError('from and until must differ: quiet all day, nothing would ever be sent.', [...path, 'until'])
  return { from, until }
}

function checkedLink(given: string | null): string | null {
  const path = ['input', 'reviewLink']
  const link = optionalText(given, path, 2000)?.trim() ?? null
  // It goes out as it is written here: a URL's parser takes out line breaks and lets slashes be missing.
  if (link === null || (/^https?:\/\/\S+$/i.test(link) && URL.canParse(link))) return link
  throw new ValidationError('reviewLink must be a web address that starts with https:// or http://.', path)
}

async function writeAutomation(tx: Tx, before: Settings, input: AutomationInput, path: string[]): Promise<void> {
  const { organizationId } = before
  const { kind } = input
  const setting = checkedSetting(before.automations[kind], input, path)
  await tx.automation.upsert({
    where: { organizationId_kind: { organizationId, kind } },
    create: { organizationId, ...setting },
    update: setting,
  })
}

function checkedSetting(before: AutomationSetting, input: AutomationInput, path: string[]): AutomationSetting {
  const { kind } = before
  const isReminder = kind === 'APPOINTMENT_REMINDER'
  // What says the same as before is no mistake: a form may send back all that it was given.
  const onlyFor = (field: 'reminderMinutes' | 'lateReminder' | 'delayMinutes' | 'afterCompletion', allowed: boolean) => {
    const given = input[field]
    if (allowed || !isGiven(given) || isDeepStrictEqual(given, before[field])) return
    throw new ValidationError(`${field} means nothing for ${kind}.`, [...path, field])
  }
  onlyFor('reminderMinutes', isReminder)
  onlyFor('lateReminder', isReminder)
  onlyFor('delayMinutes', !isReminder)
  onlyFor('afterCompletion', kind === 'REVIEW_REQUEST')
  return {
    kind,
    enabled: input.enabled ?? before.enabled,
    channels: input.channels ? checkedChannels(input.channels, [...path, 'channels']) : before.channels,
    delayMinutes: within(input.delayMinutes ?? before.delayMinutes, 0, MAX_DELAY, [...path, 'delayMinutes']),
    reminderMinutes:
      isReminder && input.reminderMinutes ? checkedReminders(input.reminderMinutes, [...path, 'reminderMinutes']) : before.reminderMinutes,
    lateReminder: input.lateReminder ?? before.lateReminder,
    afterCompletion: input.afterCompletion ?? before.afterCompletion,
  }
}

function checkedChannels(channels: ChannelType[], path: string[]): ChannelType[] {
  if (channels.length > 0 && new Set(channels).size === channels.length) return channels
  throw new ValidationError('channels must name at least one channel, and none twice.', path)
}

function checkedReminders(minutes: number[], path: string[]): number[] {
  const distinct = [...new Set(minutes)].sort((a, b) => b - a)
  if (distinct.length < 1 || distinct.length > MAX_REMINDERS)
    throw new ValidationError(`reminderMinutes must have 1 to ${MAX_REMINDERS} different times.`, path)
  for (const each of distinct) within(each, MIN_AHEAD, MAX_AHEAD, path)
  return distinct
}

function within(value: number, min: number, max: number, path: string[]): number {
  if (value >= min && value <= max) return value
  throw new ValidationError(`${path.at(-1)} must be from ${min} to ${max} minutes.`, path)
}
