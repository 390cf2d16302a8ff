import { z } from 'zod'

/** `messagingServiceSid`: where set, Twilio picks the sender from that service's pool instead of the account's address. */
export const TwilioCredentials = z.object({
  accountSid: z.string().regex(/^AC[0-9a-zA-Z]{1,62}$/, 'must be a Twilio account SID: AC and up to 62 letters and digits'),
  authToken: z.string().min(1, 'must not be empty'),
  messagingServiceSid: z
    .string()
    .regex(/^MG[0-9a-zA-Z]{1,62}$/, 'must be a Twilio messaging service SID: MG and up to 62 letters and digits')
    .optional(),
})
export type TwilioCredentials = z.output<typeof TwilioCredentials>
