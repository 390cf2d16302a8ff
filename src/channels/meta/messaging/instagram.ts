import type { ChannelAdapter } from '../../channel.ts'
import type { MetaApp } from '../app.ts'
import { downloadMedia } from '../media.ts'
import { createMetaWire } from '../wire.ts'
import { normalizeId } from './address.ts'
import { instagramCapabilities } from './capabilities.ts'
import { checkInstagram } from './check.ts'
import { InstagramCredentials } from './credentials.ts'
import { sendByPage } from './send.ts'

/**
 * Instagram direct messages of a professional account that is linked to a Facebook page, by the page's token at graph.facebook.com.
 * (Tokens of "Instagram login" belong to graph.instagram.com and do not work.) An account's address is the Instagram account's id.
 */
export function createInstagram(app: MetaApp): ChannelAdapter<InstagramCredentials> {
  return {
    provider: 'META',
    channel: 'INSTAGRAM',
    sandbox: false,
    capabilities: instagramCapabilities,
    credentials: InstagramCredentials,
    wire: createMetaWire(app),
    addressForm: 'an id of Instagram’s, digits only: for a channel that of its account, not the user name',
    normalize: normalizeId,
    identify: (value, scope) => ({ kind: 'INSTAGRAM', scope, value, verified: false }),
    routingKeys: ({ instagramAccountId }) => [instagramAccountId],
    send: (message, { pageId, accessToken }) => sendByPage(app, { channel: 'INSTAGRAM', page: pageId ?? 'me', accessToken }, message),
    check: (account, credentials) => checkInstagram(app, account, credentials),
    // The addresses of attachments open by themselves: no token goes there.
    fetchMedia: (url, _credentials, maxBytes) => downloadMedia(app, url, null, maxBytes),
  }
}
