import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Capabilities, ChannelAdapter, HealthCheck } from '../channel.ts'
import { identifyRcs, identifySms, identifyWhatsapp, normalizeRcs, normalizeSms, normalizeWhatsapp } from '../twilio/address.ts'
import { rcsCapabilities, smsCapabilities, whatsappCapabilities } from '../twilio/capabilities.ts'
import { twilioWire } from '../twilio/wire.ts'
import { fetchInlineMedia } from './media.ts'
import { simulateSend } from './send.ts'

/** `authToken`: what signs the simulated webhooks; made up where none is given. */
export const SandboxCredentials = z.object({
  authToken: z
    .string()
    .min(1, 'must not be empty')
    .default(() => randomBytes(16).toString('hex')),
})
export type SandboxCredentials = z.output<typeof SandboxCredentials>

const simulated = (capabilities: Capabilities): Capabilities => ({ ...capabilities, templatesNeedApproval: false, readReceipts: true })

const NOTHING_LEAVES: HealthCheck = {
  name: 'sandbox',
  required: true,
  ok: true,
  message: 'This is a sandbox: nothing leaves this machine, and every answer is simulated.',
}

const PHONE = 'a phone number with its country code, e.g. +905551112233'

const common = {
  provider: 'SANDBOX',
  sandbox: true,
  credentials: SandboxCredentials,
  wire: twilioWire,
  routingKeys: () => [],
  send: simulateSend,
  check: async () => [NOTHING_LEAVES],
  fetchMedia: (url: string, _credentials: SandboxCredentials, maxBytes: number) => fetchInlineMedia(url, maxBytes),
} as const

/** Twilio's channels without Twilio: its wire and its limits, but sends are simulated. */
export const createSandboxChannels = (): ChannelAdapter<SandboxCredentials>[] => [
  {
    ...common,
    channel: 'SMS',
    capabilities: simulated(smsCapabilities),
    addressForm: `${PHONE}, a short code or a sender’s name`,
    normalize: normalizeSms,
    identify: identifySms,
  },
  {
    ...common,
    channel: 'WHATSAPP',
    capabilities: simulated(whatsappCapabilities),
    addressForm: `${PHONE}, or a user id of WhatsApp’s`,
    normalize: normalizeWhatsapp,
    identify: identifyWhatsapp,
  },
  {
    ...common,
    channel: 'RCS',
    capabilities: simulated(rcsCapabilities),
    addressForm: `${PHONE}, or the id of an RCS sender`,
    normalize: normalizeRcs,
    identify: identifyRcs,
  },
]
