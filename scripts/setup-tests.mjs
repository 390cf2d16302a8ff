// The live tests want a real redis-server. Where we may install one (root on Debian or Ubuntu) we do; elsewhere those tests are skipped, with a line.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const works = (program, ...args) => spawnSync(program, args, { stdio: 'ignore' }).status === 0
const say = (line) => process.stderr.write(`setup: ${line}\n`)

if (!works('redis-server', '--version')) {
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    say('installing redis-server (apt-get) …')
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const apt = (...args) => spawnSync('apt-get', ['-qq', ...args], { env, stdio: 'ignore' })
    apt('update')
    apt('install', '-y', '--no-install-recommends', 'redis-server')
  }
  if (!works('redis-server', '--version'))
    say('no redis-server: the tests that need one are skipped (apt install redis-server, brew install redis)')
}
