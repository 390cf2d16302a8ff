import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import sendgrid from '@sendgrid/client'
import { failureOfAnswer, failureWithoutAnswer } from './errors.ts'

/** Where SendGrid's API is (no trailing slash), how many milliseconds one request to it may take, and the largest incoming e-mail in bytes. */
export type SendgridApi = { apiUrl: string; timeoutMs: number; maxEmailBytes: number }

type Client = typeof sendgrid
// The declarations have only the shared client, which would carry one account's key into another's request.
const { Client } = sendgrid as unknown as { Client: new () => Client }

const MAX_ANSWER_BYTES = 2_000_000

/** SendGrid's client against `api`. Whatever goes wrong comes out as Rejected, Unavailable or Uncertain, without the API key in it. */
export function sendgridClient({ apiUrl, timeoutMs }: SendgridApi, apiKey: string): Client {
  const client = new Client()
  client.setApiKey(apiKey)
  // After the key, which puts the address back. The client hands what it does not know on to axios.
  const settings = {
    baseUrl: apiUrl,
    timeout: timeoutMs,
    signal: AbortSignal.timeout(timeoutMs),
    maxContentLength: MAX_ANSWER_BYTES,
    maxRedirects: 0,
    // A kept connection that the other side has just closed fails like a lost answer.
    httpAgent: new HttpAgent({ keepAlive: false }),
    httpsAgent: new HttpsAgent({ keepAlive: false }),
  }
  client.setDefaultRequest(settings as unknown as Parameters<Client['createRequest']>[0])
  const request = client.request.bind(client)
  client.request = async (data) => {
    try {
      return await request(data)
    } catch (error) {
      throw failureOf(error, apiKey)
    }
  }
  return client
}

type Answered = { code: number; response: { headers?: Record<string, unknown>; body?: unknown } }

function failureOf(error: unknown, apiKey: string): Error {
  const { code, response } = error as Partial<Answered>
  if (typeof code === 'number' && response !== undefined) return failureOfAnswer(code, response.body, response.headers ?? {}, apiKey)
  const status = (response as { status?: unknown } | undefined)?.status
  // A redirection: SendGrid has none, and the key goes nowhere else.
  if (typeof status === 'number') return failureOfAnswer(status, null, {}, apiKey)
  return failureWithoutAnswer(error)
}

/** The JSON of a GET. Throws Rejected, Unavailable or Uncertain. */
export async function getFromSendgrid(api: SendgridApi, apiKey: string, path: string): Promise<unknown> {
  const [, body] = await sendgridClient(api, apiKey).request({ method: 'GET', url: path })
  return body
}
