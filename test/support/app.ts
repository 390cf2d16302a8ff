import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { print } from 'graphql'
import { pino } from 'pino'
import { type App, startApp } from '../../src/app.ts'
import { signToken } from '../../src/auth/tokens.ts'
import { loadConfig } from '../../src/config.ts'
import type { Role } from '../../src/db/generated/enums.ts'
import { reconcileCounts } from '../../src/domain/reconcile-counts.ts'
import { testDatabase } from './database.ts'

export type Answer<Data> = { status: number; data?: Data | null; errors?: { message: string; extensions?: Record<string, unknown> }[] }

export type TestApp = App & {
  databaseUrl: string
  /** Signs a token for an organization (demo), role (ADMIN) and subject. */
  token(claims?: {
    organization?: string
    role?: Role
    subject?: string
    name?: string
    email?: string
    expiresIn?: string | null
  }): Promise<string>
  /** POSTs an operation; `token: null` sends none. */
  request<Data, Variables>(
    document: TypedDocumentNode<Data, Variables> | string,
    variables?: Variables,
    token?: string | null,
  ): Promise<Answer<Data>>
}

export const SECRET = 'a secret of at least thirty-two characters'

/**
 * The whole product on a free port, on a database of its own (or `DATABASE_URL` in `settings`), with the demo organization. `close` throws where
 * a count that is kept in its own database is not what is counted; `handwritten`: the test itself writes rows that make it so.
 */
export async function startTestApp(settings: Record<string, string> = {}, { handwritten = false } = {}): Promise<TestApp> {
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-test-'))
  const database = settings.DATABASE_URL === undefined ? await testDatabase() : null
  const databaseUrl = settings.DATABASE_URL ?? database?.url ?? ''
  const config = loadConfig({
    NODE_ENV: 'test',
    PORT: '0',
    DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl,
    AUTH_JWT_SECRET: SECRET,
    LOG_LEVEL: 'silent',
    POLL_SECONDS: '1',
    SHUTDOWN_SECONDS: '3',
    ...settings,
  })
  const app = await startApp(config, pino({ level: config.LOG_LEVEL }))
  const token: TestApp['token'] = (claims = {}) =>
    signToken({ secret: SECRET, organization: 'demo', role: 'ADMIN', subject: 'tester', name: 'Tess Ter', expiresIn: '1h', ...claims })
  const admin = await token()
  return {
    ...app,
    databaseUrl,
    token,
    async request(document, variables, bearer = admin) {
      const response = await fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }) },
        body: JSON.stringify({ query: typeof document === 'string' ? document : print(document), variables }),
      })
      return { status: response.status, ...((await response.json()) as object) }
    },
    async close() {
      await app.close()
      const wrong = database === null || handwritten ? [] : await reconcileCounts({ ...app.deps, ...database })
      await database?.close()
      await rm(dataDir, { recursive: true, force: true })
      if (wrong.length > 0) throw new Error(`kept counts are wrong: ${JSON.stringify(wrong)}`)
    },
  }
}
