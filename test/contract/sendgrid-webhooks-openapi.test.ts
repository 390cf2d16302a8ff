import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSendgridChannels } from '../../src/channels/sendgrid/channels.ts'
import { SendgridCredentials } from '../../src/channels/sendgrid/credentials.ts'
import { type Prism, startPrism } from '../support/prism.ts'

const SPECIFICATION = '../shared/contracts/openapi/sendgrid_webhooks_v3.json'
const present = existsSync(SPECIFICATION)
if (!present) console.warn(`${SPECIFICATION} is not here: the check of an account is not tested against SendGrid's API description`)

/** What the check asks elsewhere than in this description. */
const OTHERS: Record<string, unknown> = {
  '/v3/scopes': { scopes: ['mail.send'] },
  '/v3/whitelabel/domains': [{ domain: 'example.org', valid: true }],
}

describe.runIf(present)('SendGrid’s own description of its webhook settings', () => {
  let prism: Prism
  let front: ReturnType<typeof createServer>
  const asked: string[] = []

  beforeAll(async () => {
    prism = await startPrism(SPECIFICATION)
    front = createServer((incoming, response) => {
      const path = (incoming.url ?? '').split('?')[0] ?? ''
      const known = OTHERS[path]
      if (known !== undefined) {
        response.setHeader('content-type', 'application/json').end(JSON.stringify(known))
        return
      }
      const onward = request(
        { host: '127.0.0.1', port: prism.port, path: incoming.url, method: incoming.method, headers: incoming.headers },
        (answer) => {
          asked.push(`${path} ${answer.statusCode}`)
          response.writeHead(answer.statusCode ?? 500, answer.headers)
          answer.pipe(response)
        },
      )
      incoming.pipe(onward)
    }).listen(0, '127.0.0.1')
    await once(front, 'listening')
  })
  afterAll(async () => {
    front?.close()
    front?.closeAllConnections()
    await prism?.stop()
  })

  test('accepts what the check asks, and the check understands its examples', async () => {
    const apiUrl = `http://127.0.0.1:${(front.address() as AddressInfo).port}`
    const [adapter] = createSendgridChannels({ apiUrl, timeoutMs: 15_000, maxEmailBytes: 1_000_000 })
    const credentials = SendgridCredentials.parse({ apiKey: 'SG.a.b' })
    const checks = await adapter?.check(
      { address: 'desk@example.org', webhookUrl: 'https://parley.example/webhooks/sendgrid/demo/inbound' },
      credentials,
    )
    expect(asked.sort()).toEqual(['/v3/user/webhooks/event/settings/all 200', '/v3/user/webhooks/parse/settings 200'])
    const said = new Map(checks?.map(({ name, message }) => [name, message]))
    expect(said.get('inbound')).toMatch(/^Answers do not arrive: add the host example\.org/)
    expect(said.get('events')).toMatch(/^Nothing is known about delivery: add an event webhook/)
  })
})
