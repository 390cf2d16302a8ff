import type { ChannelAdapter } from '../../channel.ts'
import { identifyWhatsapp, normalizeWhatsapp } from '../../whatsapp-address.ts'
import type { MetaApp } from '../app.ts'
import { createMetaWire } from '../wire.ts'
import { whatsappCapabilities } from './capabilities.ts'
import { checkWhatsapp } from './check.ts'
import { WhatsappCredentials } from './credentials.ts'
import { fetchWhatsappMedia } from './media.ts'
import { markWhatsappRead, sendByWhatsapp } from './send.ts'
import { whatsappTemplateFault } from './template-fault.ts'
import { listWhatsappTemplates } from './templates.ts'

/** WhatsApp's Cloud API. An account's address is its phone number. */
export function createWhatsapp(app: MetaApp): ChannelAdapter<WhatsappCredentials> {
  return {
    provider: 'META',
    channel: 'WHATSAPP',
    sandbox: false,
    capabilities: whatsappCapabilities,
    credentials: WhatsappCredentials,
    wire: createMetaWire(app),
    addressForm: 'a phone number with its country code, e.g. +905551112233, or a user id of WhatsApp’s',
    normalize: normalizeWhatsapp,
    identify: identifyWhatsapp,
    routingKeys: ({ phoneNumberId, businessAccountId }) => [phoneNumberId, businessAccountId],
    send: (message, credentials) => sendByWhatsapp(app, message, credentials),
    check: (account, credentials) => checkWhatsapp(app, account, credentials),
    fetchMedia: (url, credentials, maxBytes) => fetchWhatsappMedia(app, url, credentials, maxBytes),
    templateFault: whatsappTemplateFault,
    listTemplates: (_account, credentials) => listWhatsappTemplates(app, credentials),
    markRead: (externalMessageId, credentials) => markWhatsappRead(app, externalMessageId, credentials),
  }
}
