import { z } from 'zod'

const id = (what: string) => z.string().regex(/^\d{1,32}$/, `must be ${what}: digits only`)

/** `accessToken`: of a system user with whatsapp_business_messaging and whatsapp_business_management. */
export const WhatsappCredentials = z.object({
  accessToken: z.string().regex(/^[\x21-\x7e]{1,1000}$/, 'must be an access token as Meta shows it: no spaces, no line breaks'),
  phoneNumberId: id('the phone number ID of WhatsApp Manager (not the phone number)'),
  businessAccountId: id('the WhatsApp Business Account ID'),
})
export type WhatsappCredentials = z.output<typeof WhatsappCredentials>
