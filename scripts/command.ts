import { pino } from 'pino'
import { UnauthenticatedError } from '../src/auth/errors.ts'
import { type Config, ConfigError } from '../src/config.ts'
import { isDatabaseAway } from '../src/db/away.ts'
import { type Database, openDatabase } from '../src/db/client.ts'
import { withEmbedded } from '../src/db/embedded.ts'
import type { Organization } from '../src/db/generated/client.ts'
import { migrate } from '../src/db/migrate.ts'
import { UserError } from '../src/domain/errors.ts'

/** What the caller of a command can put right: told in one line, exit code 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

export const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** Runs `work` with the arguments of the command line; `--help` prints `help` instead. A caller's mistake becomes one line on stderr and exit code 1. */
export async function runCommand(help: string, work: (args: string[]) => Promise<void>): Promise<void> {
  const args = process.argv.slice(2)
  if (args.includes('--help') || args[0] === '-h') return say(help)
  try {
    await work(args)
  } catch (error) {
    if (!isCallersMistake(error)) throw error
    process.stderr.write(`parley: ${error.message.replaceAll(/\s*\n\s*/g, ' ')}\n`)
    process.exitCode = 1
  }
}

function isCallersMistake(error: unknown): error is Error {
  if ([CommandError, ConfigError, UserError, UnauthenticatedError].some((kind) => error instanceof kind)) return true
  return isDatabaseAway(error) || String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS_')
}

/** The value of an option that has to be given. */
export function required(value: string | undefined, name: string): string {
  if (value === undefined || value === '') throw new CommandError(`--${name} is missing; see --help`)
  return value
}

/** Opens the migrated database of DATABASE_URL, or the embedded one: that of the running server, or one for the time of `use`. */
export async function withDatabase<T>(config: Config, use: (database: Pick<Database, 'db' | 'pool'>) => Promise<T>): Promise<T> {
  // stdout belongs to the command's answer.
  const log = pino({ level: 'error' }, pino.destination({ dest: 2, sync: true }))
  const open = async (url: string): Promise<T> => {
    await migrate(url, log)
    const database = openDatabase(url, { max: 4, log })
    try {
      return await use(database)
    } finally {
      await database.close()
    }
  }
  return config.DATABASE_URL === undefined ? withEmbedded({ dataDir: config.DATA_DIR, log }, open) : open(config.DATABASE_URL)
}

/** Throws CommandError where there is none of this name. */
export async function organizationBySlug({ db }: Pick<Database, 'db'>, slug: string): Promise<Organization> {
  const organization = await db.organization.findUnique({ where: { slug } })
  if (organization !== null) return organization
  throw new CommandError(`there is no organization "${slug}"; npm run organization -- list shows them, -- create makes one`)
}
