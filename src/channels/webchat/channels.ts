import type { AnyChannelAdapter } from '../channel.ts'

/** The web chat: our own channel, over the graph. */
export const createWebchatChannels = (): AnyChannelAdapter[] => []
