import type { AnyChannelAdapter } from '../channel.ts'
import type { MetaApp } from './app.ts'
import { createInstagram } from './messaging/instagram.ts'
import { createMessenger } from './messaging/messenger.ts'
import { createWhatsapp } from './whatsapp/whatsapp.ts'

/** The channels that Meta offers. */
export const createMetaChannels = (app: MetaApp): AnyChannelAdapter[] => [createWhatsapp(app), createMessenger(app), createInstagram(app)]
