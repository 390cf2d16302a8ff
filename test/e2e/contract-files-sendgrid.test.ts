import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  CONTRACTS,
  type ContractServer,
  contractBytes,
  contractFiles,
  contractsArePresent,
  contractText,
  INBOUND_SECRET,
  multipartOf,
  sendgridCredentials,
  startContractServer,
} from '../support/contract-files.ts'
import { remember } from '../support/known-messages.ts'
import { outcomeSince, snapshotOf } from '../support/webhook-outcome.ts'
import { sendgrid } from './contract-files/sendgrid.ts'

const files = ['sendgrid', 'email'].flatMap(contractFiles)
if (!contractsArePresent) console.warn(`${CONTRACTS} is not here: SendGrid's recorded webhooks are not posted to the server`)

const OURS = 'support@parley.example'

/** Recordings with bare line feeds are no multipart for a strict parser; see the README beside them. */
const isBare = (file: string) => file.endsWith('.multipart') && !file.endsWith('.crlf.multipart')

async function post(server: ContractServer, file: string): Promise<Response> {
  if (file.startsWith('sendgrid/events/')) {
    const events = JSON.parse(contractText(file)) as unknown
    return server.sendgridEvents(JSON.stringify(Array.isArray(events) ? events : [events]))
  }
  if (file.endsWith('.multipart')) return server.sendgridInbound(contractBytes(file), 'xYzZY')
  const envelope = JSON.stringify({ to: [OURS], from: 'envelope@example.com' })
  const fields = file.endsWith('.eml')
    ? { email: contractBytes(file), to: OURS, envelope }
    : { ...JSON.parse(contractText(file)), envelope }
  const { body, boundary } = multipartOf(fields as Record<string, string>)
  return server.sendgridInbound(body, boundary)
}

describe.runIf(contractsArePresent)("SendGrid's webhooks", () => {
  let server: ContractServer
  let id: string
  beforeAll(async () => {
    server = await startContractServer()
    id = await server.account('SENDGRID', 'EMAIL', OURS, { ...sendgridCredentials, inboundSecret: INBOUND_SECRET }, [
      ...['inbound@inbound.example.com', 'test@inbound.example.com', 'inbound@sendgrid.example.com', 'inbound@inbound.inbound.com'],
    ])
  })
  afterAll(() => server?.app.close())

  test('every file has an expectation, and every expectation a file', () => {
    expect(Object.keys(sendgrid).sort()).toEqual(files.toSorted())
  })

  test.each(files)('%s', async (file) => {
    const { known = [], becomes, again = ['webhook DUPLICATE'] } = sendgrid[file] ?? { becomes: ['nothing is expected'] }
    await server.clear()
    await remember(server, { id, channel: 'EMAIL' }, known, { kind: 'EMAIL', scope: '' })
    const before = await snapshotOf(server.app, server.organizationId)
    expect((await post(server, file)).status).toBe(200)
    const after = await snapshotOf(server.app, server.organizationId)
    const actual = outcomeSince(before, after)
    expect(actual).toEqual(becomes)
    expect((await post(server, file)).status).toBe(200)
    expect(outcomeSince(after, await snapshotOf(server.app, server.organizationId)), 'posted again').toEqual(again)
  })

  test('the recordings with bare line feeds are known', () => expect(files.filter(isBare)).toHaveLength(3))
})
