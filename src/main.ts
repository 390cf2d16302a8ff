import { pino } from 'pino'
import { type App, startApp } from './app.ts'
import { ConfigError, loadConfig } from './config.ts'

const say = (line: string) => process.stdout.write(`${line}\n`)

try {
  const config = loadConfig()
  const log = pino({ level: config.LOG_LEVEL, base: null })
  const app = await startApp(config, log)
  // Ctrl-C reaches us twice when npm passes it on too: the first one counts.
  let ending = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (!ending) end(app, config.SHUTDOWN_SECONDS)
      ending = true
    })
  }
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

async function greet(app: App): Promise<void> {
  const { config } = app.deps
  say(`Parley listens on ${app.url}`)
  if (config.WORKER === 'only') return
  if (config.GRAPHIQL) say(`GraphiQL:  ${config.PUBLIC_URL}/graphql`)
  const token = await app.demoToken()
  if (token === null) return
  say(`Token:     ${token}`)
  say('Simulate:  npm run simulate -- sms --from +905551112233 "Is my permit ready?"')
}
