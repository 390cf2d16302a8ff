import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { loadConfig } from '../src/config.ts'
import { reconcileCounts } from '../src/domain/reconcile-counts.ts'
import { createMemoryBus } from '../src/events/memory-bus.ts'
import { organizationBySlug, runCommand, say, withDatabase } from './command.ts'

const HELP = `npm run reconcile [-- --organization <slug>]

Compares what is kept (unread counts, latest activity, channel statistics) with what is counted, mends what differs, and prints it as JSON, a line
each. A running server does the same every night; both may run at the same time.

Settings are the server's: DATABASE_URL, or the embedded database of DATA_DIR.`

await runCommand(HELP, async (args) => {
  const { values } = parseArgs({ args, options: { organization: { type: 'string' } } })
  const differences = await withDatabase(loadConfig(), async (database) => {
    const id = values.organization === undefined ? null : (await organizationBySlug(database, values.organization)).id
    // The differences are the answer of the command, and nobody follows this process's bus: those who follow the log find its events by themselves.
    return reconcileCounts({ ...database, bus: createMemoryBus(), log: pino({ level: 'silent' }) }, id)
  })
  for (const difference of differences) say(JSON.stringify(difference))
  if (differences.length === 0) say('All counts are right.')
})
