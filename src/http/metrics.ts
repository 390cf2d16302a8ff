import type { IncomingMessage, ServerResponse } from 'node:http'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { allowsMethod } from './json.ts'

const SCRAPE_MS = 1_000
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export type Metrics = ReturnType<typeof createMetrics>

/** The numbers of one app, in its own registry. Labels are from closed lists, never a tenant's data. */
export function createMetrics() {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const readings: (() => Promise<void>)[] = []
  const failedReadings = new Counter({ name: 'parley_scrape_failures_total', help: 'Gauges that could not be read at a scrape', registers })

  const read = async (reading: () => Promise<void>): Promise<void> => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('too slow')), SCRAPE_MS)
    })
    try {
      await Promise.race([reading(), late])
    } catch {
      // A database that is away must not take the other numbers with it; the counter is the report.
      failedReadings.inc()
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    registry,
    httpRequests: new Counter({
      name: 'parley_http_requests_total',
      help: 'HTTP requests answered; status "aborted": the client left first',
      labelNames: ['route', 'method', 'status'] as const,
      registers,
    }),
    httpSeconds: new Histogram({
      name: 'parley_http_request_seconds',
      help: 'Seconds from an HTTP request to the end of its answer, event streams left out',
      labelNames: ['route', 'method'] as const,
      buckets: SECONDS,
      registers,
    }),
    webhooks: new Counter({
      name: 'parley_webhooks_total',
      help: 'Webhooks by provider and outcome',
      labelNames: ['provider', 'outcome'] as const,
      registers,
    }),
    graphqlOperations: new Counter({
      name: 'parley_graphql_operations_total',
      help: 'GraphQL operations by kind (query, mutation, subscription) and outcome',
      labelNames: ['kind', 'outcome'] as const,
      registers,
    }),
    sends: new Counter({
      name: 'parley_sends_total',
      help: 'Attempts to hand a message to its provider, by outcome',
      labelNames: ['provider', 'outcome'] as const,
      registers,
    }),
    countDifferences: new Counter({
      name: 'parley_count_differences_total',
      help: 'Kept counts that were found to differ from what is counted, and mended',
      labelNames: ['count'] as const,
      registers,
    }),
    openSockets: new Gauge({ name: 'parley_open_sockets', help: 'WebSockets that are open', registers }),
    slowReaders: new Counter({ name: 'parley_slow_readers_total', help: 'WebSockets closed because their client did not read', registers }),
    eventReads: new Counter({ name: 'parley_event_log_reads_total', help: 'Reads of the event log by its followers', registers }),
    eventFollowers: new Gauge({ name: 'parley_event_log_followers', help: 'Subscriptions that follow the event log', registers }),
    outstandingJobs: new Gauge({ name: 'parley_outstanding_jobs', help: 'Jobs that are due or in hand', registers }),
    /** Sets gauges that are only known by asking; runs at each scrape, for at most a second. */
    onScrape(reading: () => Promise<void>): void {
      readings.push(reading)
    },
    /** GET /metrics, in Prometheus's text format. */
    async handler(request: IncomingMessage, response: ServerResponse): Promise<void> {
      if (!allowsMethod(request, response, ['GET', 'HEAD'])) return
      await Promise.all(readings.map(read))
      response.writeHead(200, { 'content-type': registry.contentType, 'cache-control': 'no-store' })
      response.end(await registry.metrics())
    },
  }
}
