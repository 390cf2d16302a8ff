import type { Capabilities } from '../channels/channel.ts'
import { BodyTooLongError, MessagingWindowClosedError } from './errors.ts'

/** Whether free text is allowed now. `expiresAt` is null where the channel has no window or the customer never wrote. */
export type MessagingWindow = { isOpen: boolean; expiresAt: Date | null }

export function messagingWindow(capabilities: Capabilities | undefined, windowExpiresAt: Date | null, now: Date): MessagingWindow {
  if (capabilities === undefined || capabilities.messagingWindowHours === null) return { isOpen: true, expiresAt: null }
  return { isOpen: windowExpiresAt !== null && windowExpiresAt > now, expiresAt: windowExpiresAt }
}

/** Throws MessagingWindowClosedError for free text, or an unapproved template, outside the window. */
export function checkWindow(
  capabilities: Capabilities,
  windowExpiresAt: Date | null,
  now: Date,
  template: { approved: boolean } | null,
): void {
  if (messagingWindow(capabilities, windowExpiresAt, now).isOpen) return
  if (template !== null && (template.approved || !capabilities.templatesNeedApproval)) return
  throw new MessagingWindowClosedError(windowExpiresAt, capabilities.messagingWindowHours ?? 0)
}

/** Length in the channel's own unit: Unicode code points, or bytes of UTF-8. */
export const textLength = (text: string, unit: Capabilities['textLimitUnit']): number =>
  unit === 'BYTES' ? Buffer.byteLength(text, 'utf8') : [...text].length

export function checkLength(capabilities: Capabilities, text: string, path: string[]): void {
  const length = textLength(text, capabilities.textLimitUnit)
  if (length > capabilities.textLimit) throw new BodyTooLongError(capabilities.textLimit, length, capabilities.textLimitUnit, path)
}
