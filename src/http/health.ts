import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Deps } from '../deps.ts'
import { allowsMethod, sendJson } from './json.ts'

const PATIENCE_MS = 1_500

export type HealthSources = {
  /** Why jobs are not worked on here although they should be, e.g. "stopped"; null: all is well; "off": another process has that task. */
  worker: () => string | null
  shuttingDown: () => boolean
}

/** What /health/ready says. Each part is "ok", or says what is wrong; only what begins with "down" makes the process not ready. */
export type Readiness = { status: 'ready' | 'not ready'; parts: { postgres: string; bus: string; worker: string; server: string } }

/** The handlers of `/health/live` (200 while the process runs) and `/health/ready` (200, or 503 and which part is not; answers within 2 seconds). */
export function createHealth(deps: Pick<Deps, 'pool' | 'bus' | 'log'>, sources: HealthSources) {
  const postgres = postgresCheck(deps)

  const readiness = async (): Promise<Readiness> => {
    const worker = sources.worker()
    const parts = {
      postgres: await postgres(),
      bus: deps.bus.healthy() ? 'ok' : 'degraded: Redis cannot be reached, live delivery is late by up to POLL_SECONDS',
      worker: worker === null ? 'ok' : worker === 'off' ? 'off' : `down: ${worker}`,
      server: sources.shuttingDown() ? 'down: shutting down' : 'ok',
    }
    return { status: Object.values(parts).some((part) => part.startsWith('down')) ? 'not ready' : 'ready', parts }
  }

  return {
    readiness,
    async live(request: IncomingMessage, response: ServerResponse): Promise<void> {
      if (allowsMethod(request, response, ['GET', 'HEAD'])) sendJson(response, 200, { status: 'live' })
    },
    async ready(request: IncomingMessage, response: ServerResponse): Promise<void> {
      if (!allowsMethod(request, response, ['GET', 'HEAD'])) return
      const found = await readiness()
      sendJson(response, found.status === 'ready' ? 200 : 503, found)
    },
  }
}

/** Asks one question at a time, however many probes come, so that a database that hangs does not use up the pool. */
function postgresCheck({ pool, log }: Pick<Deps, 'pool' | 'log'>): () => Promise<string> {
  let asked: Promise<string> | undefined
  const ask = async (): Promise<string> => {
    try {
      await pool.query('SELECT 1')
      return 'ok'
    } catch (error) {
      log.warn({ err: error }, 'PostgreSQL does not answer the readiness check')
      return `down: ${(error as { code?: string }).code ?? 'no connection'}`
    } finally {
      asked = undefined
    }
  }
  return async () => {
    asked ??= ask()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS, `down: no answer within ${PATIENCE_MS} ms`)
    })
    const answer = await Promise.race([asked, late])
    clearTimeout(timer)
    return answer
  }
}
