import type { AnyChannelAdapter } from '../channel.ts'

/** Where SendGrid's API is (no trailing slash), how long one request to it may take, and the largest incoming e-mail. */
export type SendgridApi = { apiUrl: string; timeoutMs: number; maxEmailBytes: number }

/** The channel that SendGrid offers. */
export const createSendgridChannels = (_api: SendgridApi): AnyChannelAdapter[] => []
