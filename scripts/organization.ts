import { parseArgs } from 'node:util'
import { loadConfig } from '../src/config.ts'
import { createOrganization } from '../src/domain/create-organization.ts'
import { CommandError, required, runCommand, say, withDatabase } from './command.ts'

const HELP = `npm run organization -- create --slug acme --name "Acme Ltd" [--timezone Europe/Istanbul] [--language tr]
npm run organization -- list

  --slug      its name in tokens and webhook addresses: 1 to 63 of a-z, 0-9, and - inside
  --name      for people
  --timezone  IANA name, says when "today" begins; UTC by default
  --language  of the messages that go out by themselves, e.g. tr or en-GB; en by default

Settings are the server's: DATABASE_URL, or the embedded database of DATA_DIR.`

await runCommand(HELP, async ([command, ...args]) => {
  if (command === 'create') await create(args)
  else if (command === 'list') await list(args)
  else throw new CommandError('say "create" or "list"; see --help')
})

async function create(args: string[]): Promise<void> {
  const options = {
    slug: { type: 'string' },
    name: { type: 'string' },
    timezone: { type: 'string' },
    language: { type: 'string' },
  } as const
  const { values } = parseArgs({ args, options })
  const { timezone, language } = values
  const input = {
    slug: required(values.slug, 'slug'),
    name: required(values.name, 'name'),
    ...(timezone === undefined ? {} : { timezone }),
    ...(language === undefined ? {} : { language }),
  }
  const { slug } = await withDatabase(loadConfig(), (database) => createOrganization(database, input))
  say(`Made the organization "${slug}". A token for it: npm run --silent token -- --organization ${slug} --role ADMIN`)
}

async function list(args: string[]): Promise<void> {
  parseArgs({ args, options: {} })
  const organizations = await withDatabase(loadConfig(), ({ db }) => db.organization.findMany({ orderBy: { slug: 'asc' } }))
  for (const { slug, name, timezone } of organizations) say([slug, name, timezone].join('\t'))
}
