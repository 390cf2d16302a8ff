import type { Capabilities } from '../channel.ts'

/** Source of the limit: error 21617, https://www.twilio.com/docs/api/errors/21617 */
export const smsCapabilities: Capabilities = {
  textLimit: 1600,
  textLimitUnit: 'CHARACTERS',
  messagingWindowHours: null,
  templatesNeedApproval: false,
  content: ['TEXT', 'TEMPLATE'],
  inbound: true,
  deliveryReceipts: true,
  readReceipts: false,
}

/** Source of the window: https://www.twilio.com/docs/whatsapp/key-concepts#customer-service-windows */
export const whatsappCapabilities: Capabilities = {
  ...smsCapabilities,
  messagingWindowHours: 24,
  templatesNeedApproval: true,
  readReceipts: true,
}
