import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CONTRACTS, type ContractServer, contractFiles, contractsArePresent, startContractServer } from '../support/contract-files.ts'
import { metaBodies, prepare } from '../support/meta-files.ts'
import { outcomeSince, snapshotOf } from '../support/webhook-outcome.ts'
import type { Expectation } from './contract-files/expectation.ts'
import { instagram } from './contract-files/instagram.ts'
import { messenger } from './contract-files/messenger.ts'
import { whatsapp } from './contract-files/whatsapp.ts'

const expectations: Record<string, Expectation> = { ...whatsapp, ...messenger, ...instagram }

/** Not webhooks: answers of the Graph API, held to account in test/contract. */
const ANSWERS = ['messenger/errors.outside_window.json', 'whatsapp-cloud/errors/pywa.error_objects.json']

const files = ['whatsapp-cloud', 'messenger', 'instagram'].flatMap(contractFiles).filter((file) => !ANSWERS.includes(file))
if (!contractsArePresent) console.warn(`${CONTRACTS} is not here: Meta's recorded webhooks are not posted to the server`)

const posts = files.flatMap((file) =>
  Object.entries(metaBodies(file)).map(([item, body]) => ({ name: item === '' ? file : `${file} ${item}`, body })),
)

describe.runIf(contractsArePresent)("Meta's webhooks", () => {
  let server: ContractServer
  beforeAll(async () => {
    server = await startContractServer()
  })
  afterAll(() => server?.app.close())

  test('every file has an expectation, and every expectation a file', () => {
    expect(Object.keys(expectations).sort()).toEqual(posts.map(({ name }) => name).sort())
  })

  test.each(posts)('$name', async ({ name, body }) => {
    const { known = [], becomes, again = ['webhook DUPLICATE'] } = expectations[name] ?? { becomes: ['nothing is expected'] }
    await server.clear()
    await prepare(server, body, known)
    const before = await snapshotOf(server.app, server.organizationId)
    const text = JSON.stringify(body)
    expect((await server.meta(text)).status).toBe(200)
    const after = await snapshotOf(server.app, server.organizationId)
    const actual = outcomeSince(before, after)
    expect(actual).toEqual(becomes)
    expect((await server.meta(text)).status).toBe(200)
    expect(outcomeSince(after, await snapshotOf(server.app, server.organizationId)), 'posted again').toEqual(again)
  })
})
