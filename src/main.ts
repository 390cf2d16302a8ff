import { enableCompileCache } from 'node:module'
import { join, resolve } from 'node:path'
import { pino } from 'pino'
import type { App } from './app.ts'
import { ConfigError, loadConfig } from './config.ts'

// What need not be compiled again starts in two thirds of the time. Beside the packages, because what may write there can change the program anyway.
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/parley'))

const say = (line: string) => process.stdout.write(`${line}\n`)

try {
  const config = loadConfig()
  const log = pino({ level: config.LOG_LEVEL, base: null })
  // From here on, so that Ctrl-C while it starts leaves no PostgreSQL behind; and once, because npm passes Ctrl-C on a second time.
  const asked = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => asked.resolve())
  // Loaded when the settings are known to be right: the product takes a second.
  const { startApp } = await import('./app.ts')
  const app = await startApp(config, log)
  void asked.promise.then(() => end(app, config.SHUTDOWN_SECONDS))
  await greet(app)
} catch (error) {
  if (!(error instanceof ConfigError)) throw error
  process.stderr.write(`parley: ${error.message}\n`)
  process.exitCode = 1
}

function end(app: App, seconds: number): void {
  say('Stopping …')
  // Each part has its own bound; this one is for what hangs all the same.
  setTimeout(() => process.exit(1), seconds * 3000).unref()
  void app.close().then(() => process.exit(0))
}

/** What a command line needs to find this server where it is not the usual one. */
function environment({ PORT, DATA_DIR }: App['deps']['config']): string {
  const port = PORT === 4000 ? '' : `PORT=${PORT} `
  return DATA_DIR === resolve('.data') ? port : `${port}DATA_DIR=${DATA_DIR} `
}

async function greet(app: App): Promise<void> {
  const { config } = app.deps
  say(`Parley listens on ${app.url}`)
  if (config.WORKER === 'only') return
  if (config.GRAPHIQL) say(`GraphiQL:  ${config.PUBLIC_URL}/graphql`)
  const token = await app.demoToken()
  if (token === null) return
  say(`Token:     ${token}`)
  say(`Simulate:  ${environment(config)}npm run simulate -- sms --from +905551112233 "Is my permit ready?"`)
}
