import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'

/** A setting that is missing or wrong: the message names it and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const integer = (min: number, max: number) => z.coerce.number(`must be a whole number from ${min} to ${max}`).int().min(min).max(max)
const url = (...protocols: string[]) =>
  z.url({
    protocol: new RegExp(`^(${protocols.join('|')})$`),
    error: `must be a URL that starts with ${protocols.map((p) => `${p}://`).join(' or ')}`,
  })
const flag = z.enum(['true', 'false']).transform((value) => value === 'true')

const aesKeys = z.string().transform((value, context) => {
  const keys = value.split(',').map((part) => Buffer.from(part.trim(), 'base64'))
  if (keys.every((key) => key.length === 32)) return keys
  context.addIssue({
    code: 'custom',
    message: 'must be 32 bytes in base64 (openssl rand -base64 32); several, separated by commas: the first encrypts',
  })
  return z.NEVER
})

/** Every environment variable, before the defaults that depend on others. A test holds the table in README.md against it. */
export const Environment = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  PORT: integer(0, 65535).default(4000),
  HOST: z.string().min(1).default('127.0.0.1'),
  PUBLIC_URL: url('http', 'https')
    .transform((value) => value.replace(/\/+$/, ''))
    .optional(),
  TRUSTED_PROXIES: integer(0, 10).default(0),
  DATABASE_URL: url('postgres', 'postgresql').optional(),
  DATABASE_POOL: integer(2, 100).default(8),
  REDIS_URL: url('redis', 'rediss').optional(),
  DATA_DIR: z.string().min(1).default('.data'),
  WORKER: z.enum(['inline', 'off', 'only']).default('inline'),
  AUTH_JWT_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  AUTH_JWKS_URL: url('http', 'https').optional(),
  ENCRYPTION_KEY: aesKeys.optional(),
  TWILIO_API_URL: url('http', 'https')
    .transform((value) => value.replace(/\/+$/, ''))
    .default('https://api.twilio.com'),
  META_APP_ID: z.string().min(1).optional(),
  META_APP_SECRET: z.string().min(1).optional(),
  META_VERIFY_TOKEN: z.string().min(8, 'must have at least 8 characters').optional(),
  META_GRAPH_URL: url('http', 'https')
    .transform((value) => value.replace(/\/+$/, ''))
    .default('https://graph.facebook.com'),
  META_GRAPH_VERSION: z
    .string()
    .regex(/^v\d+\.\d+$/, 'must be a version such as v26.0')
    .default('v26.0'),
  SENDGRID_API_URL: url('http', 'https')
    .transform((value) => value.replace(/\/+$/, ''))
    .default('https://api.sendgrid.com'),
  S3_BUCKET: z.string().min(1).optional(),
  S3_REGION: z.string().min(1).default('us-east-1'),
  S3_ENDPOINT: url('http', 'https').optional(),
  S3_ACCESS_KEY_ID: z.string().min(1).optional(),
  S3_SECRET_ACCESS_KEY: z.string().min(1).optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  GRAPHIQL: flag.optional(),
  MAX_BODY_BYTES: integer(1024, 100_000_000).default(1_000_000),
  MAX_QUERY_DEPTH: integer(1, 100).default(12),
  MAX_QUERY_COST: integer(100, 10_000_000).default(50_000),
  MAX_QUERY_ALIASES: integer(1, 1000).default(30),
  MAX_QUERY_TOKENS: integer(100, 100_000).default(5_000),
  MAX_ATTACHMENT_BYTES: integer(1024, 200_000_000).default(20_000_000),
  MAX_EMAIL_BYTES: integer(1024, 100_000_000).default(40_000_000),
  WEBHOOK_RETENTION_DAYS: integer(1, 3650).default(30),
  PROVIDER_TIMEOUT_SECONDS: integer(1, 60).default(15),
  SEND_ATTEMPTS: integer(1, 100).default(10),
  STALE_JOB_SECONDS: integer(1, 86_400).default(120),
  POLL_SECONDS: integer(1, 300).default(5),
  SHUTDOWN_SECONDS: integer(1, 300).default(10),
})

type Environment = z.output<typeof Environment>

export type Config = Omit<Environment, 'PUBLIC_URL' | 'ENCRYPTION_KEY' | 'GRAPHIQL' | 'DATA_DIR'> & {
  /** Without a trailing slash. null until the port is known, where PORT is 0 and PUBLIC_URL is not set. */
  PUBLIC_URL: string | null
  ENCRYPTION_KEY: Buffer[]
  GRAPHIQL: boolean
  /** Absolute. */
  DATA_DIR: string
}

/** Reads and checks all settings. Outside production, missing secrets are made once and kept in DATA_DIR. Throws ConfigError. */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = Environment.safeParse(present)
  if (!parsed.success) throw new ConfigError(describe(parsed.error))
  const settings = parsed.data
  const production = settings.NODE_ENV === 'production'
  if (settings.AUTH_JWT_SECRET !== undefined && settings.AUTH_JWKS_URL !== undefined) {
    throw new ConfigError('AUTH_JWT_SECRET and AUTH_JWKS_URL: set one of them, not both')
  }
  if (production) requireForProduction(settings)
  const dataDir = resolve(settings.DATA_DIR)
  const needsSecret = settings.AUTH_JWT_SECRET === undefined && settings.AUTH_JWKS_URL === undefined
  return {
    ...settings,
    DATA_DIR: dataDir,
    PUBLIC_URL: settings.PUBLIC_URL ?? (settings.PORT === 0 ? null : `http://localhost:${settings.PORT}`),
    AUTH_JWT_SECRET: needsSecret ? keptSecret(dataDir, 'auth-jwt-secret') : settings.AUTH_JWT_SECRET,
    ENCRYPTION_KEY: settings.ENCRYPTION_KEY ?? [Buffer.from(keptSecret(dataDir, 'encryption-key'), 'base64')],
    GRAPHIQL: settings.GRAPHIQL ?? !production,
  }
}

function requireForProduction(settings: Environment): void {
  const missing = [
    settings.PUBLIC_URL === undefined && 'PUBLIC_URL',
    settings.DATABASE_URL === undefined && 'DATABASE_URL',
    settings.AUTH_JWT_SECRET === undefined && settings.AUTH_JWKS_URL === undefined && 'AUTH_JWT_SECRET (or AUTH_JWKS_URL)',
    settings.ENCRYPTION_KEY === undefined && 'ENCRYPTION_KEY',
  ].filter((name) => name !== false)
  if (missing.length > 0) throw new ConfigError(`with NODE_ENV=production nothing is generated; set: ${missing.join(', ')}`)
}

/** 32 random bytes in base64, made on first use. */
export function keptSecret(dataDir: string, name: string): string {
  const path = join(dataDir, name)
  try {
    makeFolder(dataDir)
    try {
      writeFileSync(path, randomBytes(32).toString('base64'), { flag: 'wx', mode: 0o600 })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      chmodSync(path, 0o600)
    }
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new ConfigError(`DATA_DIR: cannot use ${path}: ${(error as Error).message}`)
  }
}

/** Not by `recursive`: Node 24 tries for ever where the system lets nobody make a folder in one that exists (/proc). */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  try {
    mkdirSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function describe(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
}
