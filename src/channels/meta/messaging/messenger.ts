import type { ChannelAdapter } from '../../channel.ts'
import type { MetaApp } from '../app.ts'
import { downloadMedia } from '../media.ts'
import { createMetaWire } from '../wire.ts'
import { normalizeId } from './address.ts'
import { messengerCapabilities } from './capabilities.ts'
import { checkMessenger } from './check.ts'
import { MessengerCredentials } from './credentials.ts'
import { sendByPage } from './send.ts'

/** Facebook Messenger: messages of a page. An account's address is the page's id. */
export function createMessenger(app: MetaApp): ChannelAdapter<MessengerCredentials> {
  return {
    provider: 'META',
    channel: 'MESSENGER',
    sandbox: false,
    capabilities: messengerCapabilities,
    credentials: MessengerCredentials,
    wire: createMetaWire(app),
    addressForm: 'an id of Facebook’s, digits only: for a channel that of its page, not the page’s name',
    normalize: normalizeId,
    identify: (value, scope) => ({ kind: 'MESSENGER', scope, value, verified: false }),
    routingKeys: ({ pageId }) => [pageId],
    send: (message, { pageId, pageAccessToken }) =>
      sendByPage(app, { channel: 'MESSENGER', page: pageId, accessToken: pageAccessToken }, message),
    check: (account, credentials) => checkMessenger(app, account, credentials),
    // The addresses of attachments open by themselves: no token goes there.
    fetchMedia: (url, _credentials, maxBytes) => downloadMedia(app, url, null, maxBytes),
  }
}
