import { localId } from '../../schema/global-id.ts'
import { startTestApp, type TestApp } from './app.ts'
import { type AcceptedMessage, type FakeTwilio, startFakeTwilio } from './fake-twilio.ts'
import { openOrganization, type TestOrganization } from './organization.ts'

export type TwilioOrganization = {
  app: TestApp
  fake: FakeTwilio
  org: TestOrganization
  /** What Twilio has accepted of this communication, by its global id. */
  acceptedOf(communicationId: string): AcceptedMessage[]
  close(): Promise<void>
}

/** The product with an organization whose SMS and WhatsApp are at a Twilio of our own. */
export async function startTwilioOrganization(slug: string, settings: Record<string, string> = {}): Promise<TwilioOrganization> {
  let reach = (url: string) => url
  const fake = await startFakeTwilio({ reach: (url) => reach(url) })
  const app = await startTestApp({ TWILIO_API_URL: fake.url, ...settings })
  reach = (url) => url.replace(app.deps.config.PUBLIC_URL ?? '', app.url)
  const org = await openOrganization(app, {
    slug,
    name: 'Salon Mavi',
    timezone: 'Europe/Istanbul',
    credentials: { twilio: fake.credentials },
    authToken: fake.credentials.authToken,
  })
  return {
    app,
    fake,
    org,
    acceptedOf: (id) =>
      fake.messages.filter(({ params }) => String(params.StatusCallback).endsWith(`communicationId=${localId('Communication', id)}`)),
    async close() {
      await app.close()
      await fake.close()
    },
  }
}
