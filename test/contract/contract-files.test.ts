import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CONTRACTS, contractFiles, contractsArePresent } from '../support/contract-files.ts'

if (!contractsArePresent) console.warn(`${CONTRACTS} is not here: the providers' own descriptions are not held against Parley`)

/** Posted to the running server by test/e2e/contract-files-*.test.ts, which fail for a file without an expectation. */
const POSTED = /^(whatsapp-cloud|messenger|instagram|twilio|sendgrid|email)\//
/** About the files themselves; `sealed.bin` nobody here can read. */
const ABOUT = ['MANIFEST.json', 'README.md', 'THIRD-PARTY-NOTICES.txt', 'sealed.bin']

const files = contractFiles().filter((file) => !ABOUT.includes(file))
const tests = globSync('test/{contract,e2e,unit}/**/*.ts').map((path) => readFileSync(path, 'utf8'))

describe.runIf(contractsArePresent)('every file of the contracts', () => {
  test('is there', () => expect(files.length).toBeGreaterThan(150))

  test.each(files.filter((file) => !POSTED.test(file) || /error/.test(basename(file))).filter((file) => !file.endsWith('.eml')))(
    '%s is named by a test that holds Parley to it',
    (file) => {
      expect(tests.some((text) => text.includes(basename(file)) || text.includes(basename(file).replace(/\.[^.]+$/, '')))).toBe(true)
    },
  )
})
