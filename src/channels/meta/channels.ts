import type { AnyChannelAdapter } from '../channel.ts'
import type { MetaApp } from './app.ts'

/** The channels that Meta offers. */
export const createMetaChannels = (_app: MetaApp): AnyChannelAdapter[] => []
