import { parseArgs } from 'node:util'
import { readClaims } from '../src/auth/claims.ts'
import { signToken } from '../src/auth/tokens.ts'
import { loadConfig } from '../src/config.ts'
import { CommandError, organizationBySlug, required, runCommand, say, withDatabase } from './command.ts'

const HELP = `npm run --silent token -- --organization demo --role ADMIN [--subject …] [--name …] [--email …] [--expires 12h]

Prints a token (JWT, HS256 with AUTH_JWT_SECRET) and nothing else.

  --organization  its slug
  --role          ADMIN, AGENT or VIEWER
  --subject       who it is for, the same for ever; a member is made on first sight (by default cli-admin, cli-agent or cli-viewer)
  --name, --email of that member, for people
  --expires       e.g. 30m, 12h, "7 days", or never; 12h by default`

const options = {
  organization: { type: 'string' },
  role: { type: 'string' },
  subject: { type: 'string' },
  name: { type: 'string' },
  email: { type: 'string' },
  expires: { type: 'string', default: '12h' },
} as const

await runCommand(HELP, async (args) => {
  const { values } = parseArgs({ args, options })
  const slug = required(values.organization, 'organization')
  const role = required(values.role, 'role').toUpperCase()
  const config = loadConfig()
  const secret = config.AUTH_JWT_SECRET
  if (secret === undefined) throw new CommandError('AUTH_JWKS_URL: tokens are made by that issuer, this server has no secret to sign with')
  const claims = readClaims({
    org: slug,
    role,
    sub: values.subject ?? `cli-${role.toLowerCase()}`,
    name: values.name,
    email: values.email,
  })
  await withDatabase(config, (database) => organizationBySlug(database, slug))
  const content = {
    secret,
    organization: claims.org,
    role: claims.role,
    subject: claims.sub,
    name: claims.name ?? undefined,
    email: claims.email ?? undefined,
    expiresIn: lifetime(values.expires),
  }
  say(await signToken(content))
})

/** null: for ever. */
function lifetime(expires: string): string | null {
  if (expires === 'never') return null
  if (/^[1-9]\d* ?(s|seconds?|m|minutes?|h|hours?|d|days?|w|weeks?|y|years?)$/.test(expires)) return expires
  throw new CommandError(`--expires must be a duration such as 30m, 12h or "7 days", or never; not "${expires}"`)
}
