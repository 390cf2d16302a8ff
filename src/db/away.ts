/** Node's network errors, and PostgreSQL's classes 08 (connection), 57P01-03 (shutting down, starting up) and 53300 (too many connections). */
const CODES = /^(ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|08\w{3}|57P0[123]|53300)$/

/** Prisma: not reachable, timed out, closed; no connection or no transaction within the time allowed. */
const PRISMA_CODES = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028'])

const KINDS = new Set(['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TooManyConnections'])

/** pg gives these no code. */
const MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Client has encountered a connection error)/

type DatabaseError = {
  code?: unknown
  message?: unknown
  meta?: { driverAdapterError?: { cause?: { kind?: unknown; originalCode?: unknown } } }
}

/** Whether an error of `pool` or `db` says that PostgreSQL cannot be reached (now), rather than that the statement is wrong. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code, message, meta } = error as DatabaseError
  if (typeof code === 'string' && (CODES.test(code) || PRISMA_CODES.has(code))) return true
  if (typeof message === 'string' && MESSAGES.test(message)) return true
  const driver = meta?.driverAdapterError?.cause
  return (
    (typeof driver?.kind === 'string' && KINDS.has(driver.kind)) ||
    (typeof driver?.originalCode === 'string' && CODES.test(driver.originalCode))
  )
}
