import pg from 'pg'
import { vi } from 'vitest'

/** Counts what this process sends to PostgreSQL from now on, whichever pool it goes through. */
export function countStatements(): { count(): number; stop(): void } {
  const sent = vi.spyOn(pg.Client.prototype, 'query')
  return { count: () => sent.mock.calls.length, stop: () => sent.mockRestore() }
}
