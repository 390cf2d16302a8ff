import { z } from 'zod'

const token = z.string().regex(/^[\x21-\x7e]{1,1000}$/, 'must be an access token as Meta shows it: no spaces, no line breaks')
const id = (what: string) => z.string().regex(/^\d{1,32}$/, `must be ${what}: digits only`)

/** `pageAccessToken`: of the page, not of a person. */
export const MessengerCredentials = z.object({ pageAccessToken: token, pageId: id('the id of the Facebook page') })
export type MessengerCredentials = z.output<typeof MessengerCredentials>

/** `accessToken`: of the page that the Instagram account is linked to; `pageId`: that page, where it is known. */
export const InstagramCredentials = z.object({
  accessToken: token,
  instagramAccountId: id('the id of the Instagram professional account (not the user name)'),
  pageId: id('the id of the Facebook page').optional(),
})
export type InstagramCredentials = z.output<typeof InstagramCredentials>
