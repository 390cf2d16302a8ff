import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  CONTRACTS,
  type ContractServer,
  contractFiles,
  contractsArePresent,
  startContractServer,
  twilioCredentials,
  twilioParams,
} from '../support/contract-files.ts'
import { remember } from '../support/known-messages.ts'
import { outcomeSince, snapshotOf } from '../support/webhook-outcome.ts'
import { twilio } from './contract-files/twilio.ts'

/** The headers that come with each of the others. */
const HEADERS = 'twilio/headers.json'

const files = contractFiles('twilio').filter((file) => file !== HEADERS)
if (!contractsArePresent) console.warn(`${CONTRACTS} is not here: Twilio's recorded webhooks are not posted to the server`)

const spelled = (address = '') => address.replace(/^whatsapp:/, '')

describe.runIf(contractsArePresent)("Twilio's webhooks", () => {
  let server: ContractServer
  beforeAll(async () => {
    server = await startContractServer()
  })
  afterAll(() => server?.app.close())

  test('every file has an expectation, and every expectation a file', () => {
    expect(Object.keys(twilio).sort()).toEqual(files)
  })

  test.each(files)('%s', async (file) => {
    const {
      segment,
      status,
      known = [],
      becomes,
      again = ['webhook DUPLICATE'],
    } = twilio[file] ?? { segment: 'none', status: 200, becomes: ['nothing is expected'] }
    await server.clear()
    const params = twilioParams(file)
    const channel = segment === 'whatsapp' || /whatsapp/.test(file) ? 'WHATSAPP' : 'SMS'
    const ours = segment === 'status' || params.Direction?.startsWith('outbound') ? params.From : params.To
    const { MessagingServiceSid } = params
    const id = await server.account(
      'TWILIO',
      channel,
      spelled(ours),
      twilioCredentials,
      MessagingServiceSid === undefined ? [] : [MessagingServiceSid],
    )
    await remember(server, { id, channel }, known, { kind: 'PHONE', scope: '' })
    const before = await snapshotOf(server.app, server.organizationId)
    expect((await server.twilio(segment, params)).status).toBe(status)
    const after = await snapshotOf(server.app, server.organizationId)
    const actual = outcomeSince(before, after)
    expect(actual).toEqual(becomes)
    expect((await server.twilio(segment, params)).status).toBe(status)
    expect(outcomeSince(after, await snapshotOf(server.app, server.organizationId)), 'posted again').toEqual(again)
  })
})
