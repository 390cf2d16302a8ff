import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readPostmaster } from '../../src/db/postmaster.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { dataDirectory, endServers, refusedStart, type ServerProcess, SHARED_SETTINGS, startServer } from '../support/server-process.ts'

let directory: Awaited<ReturnType<typeof dataDirectory>>

beforeAll(async () => {
  directory = await dataDirectory()
})
afterAll(async () => {
  await endServers()
  await directory.remove()
})

describe('a start with the embedded PostgreSQL', () => {
  const start = () => startServer({ NODE_ENV: 'development', DATA_DIR: directory.path })

  const ask = async <Data>(server: ServerProcess, query: string): Promise<Data> => {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${server.token}` },
      body: JSON.stringify({ query }),
    })
    const { data, errors } = (await response.json()) as { data: Data; errors?: unknown }
    expect(errors).toBeUndefined()
    return data
  }
  const names = async (server: ServerProcess) =>
    (await ask<{ customers: { nodes: { name: string }[] } }>(server, '{ customers { nodes { name } } }')).customers.nodes.map(
      ({ name }) => name,
    )

  test('seeds, keeps its data over kill -9, and takes PostgreSQL along when it ends', async () => {
    const first = await start()
    expect(await ask(first, '{ viewer { role organization { slug } } }')).toEqual({
      viewer: { role: 'ADMIN', organization: { slug: 'demo' } },
    })
    await ask(first, 'mutation { createCustomer(input: { name: "Survivor" }) { __typename } }')
    first.kill('SIGKILL')
    expect(await first.exited).toBe('SIGKILL')

    const second = await start()
    expect(await names(second)).toEqual(['Survivor'])
    const third = await refusedStart({ NODE_ENV: 'development', PORT: '0', DATA_DIR: directory.path })
    expect(third).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^parley: DATA_DIR: .* is in use by another Parley process.*\n$/),
    })
    expect(await names(second)).toEqual(['Survivor'])

    second.kill('SIGINT')
    second.kill('SIGINT')
    expect(await second.exited).toBe(0)
    expect(second.output().match(/Stopping/g)).toHaveLength(1)
    expect(await readPostmaster(join(directory.path, 'postgres'))).toBeNull()
  }, 60_000)

  test('a signal while it starts leaves nothing running', async () => {
    const ended = refusedStart({ NODE_ENV: 'development', PORT: '0', DATA_DIR: directory.path }, async (child) => {
      await eventually(async () => expect(await readPostmaster(join(directory.path, 'postgres'))).not.toBeNull())
      child.kill('SIGINT')
    })
    expect((await ended).code).toBe(0)
    expect(await readPostmaster(join(directory.path, 'postgres'))).toBeNull()
  })
})

describe('a start that is refused says why in one line that names the setting, and exits with 1', () => {
  let app: TestApp
  const taken = createServer()

  beforeAll(async () => {
    app = await startTestApp({ WORKER: 'off' })
    taken.listen(0, '127.0.0.1')
    await once(taken, 'listening')
  })
  afterAll(async () => {
    await app?.close()
    taken.close()
  })

  const refused = (message: RegExp) => ({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(new RegExp(`^parley: .*${message.source}.*\n$`)),
  })
  const settings = () => ({ ...SHARED_SETTINGS, NODE_ENV: 'test', DATABASE_URL: app.databaseUrl, DATA_DIR: directory.path })

  test('a taken PORT', async () => {
    const { port } = taken.address() as AddressInfo
    expect(await refusedStart({ ...settings(), PORT: String(port) })).toEqual(refused(/PORT: \d+ is taken/))
  })

  test('wrong settings, all named at once', async () => {
    const wrong = {
      PORT: '65536',
      DATABASE_URL: 'mysql://localhost/x',
      REDIS_URL: 'localhost:6379',
      ENCRYPTION_KEY: 'short',
      AUTH_JWT_SECRET: 'short',
      WORKER: 'maybe',
      POLL_SECONDS: '0',
    }
    const ended = await refusedStart({ ...settings(), ...wrong })
    expect(ended).toEqual(refused(/PORT: /))
    for (const name of Object.keys(wrong)) expect(ended.stderr).toContain(`${name}: `)
  })

  test('production with nothing set: everything that is missing', async () => {
    expect(await refusedStart({ NODE_ENV: 'production' })).toEqual(
      refused(/PUBLIC_URL, DATABASE_URL, AUTH_JWT_SECRET \(or AUTH_JWKS_URL\), ENCRYPTION_KEY/),
    )
  })

  test('a DATA_DIR that cannot be used', async () => {
    const file = join(directory.path, 'a file')
    await writeFile(file, '')
    expect(await refusedStart({ NODE_ENV: 'development', DATA_DIR: join(file, 'below') })).toEqual(refused(/DATA_DIR: cannot use/))
  })

  test('a database that is not there', async () => {
    expect(await refusedStart({ ...settings(), DATABASE_URL: 'postgres://x:y@127.0.0.1:1/z' })).toEqual(refused(/DATABASE_URL: /))
  })
})
