import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { Environment } from '../../src/config.ts'

const rows = [...(await readFile('README.md', 'utf8')).matchAll(/^\| `([A-Z][A-Z0-9_]+)` \| (.*?) \|/gm)]
const table = new Map(rows.map(([, name, standard]) => [name, standard]))

test('README.md has every setting once, and no other', () => {
  expect(rows.map(([, name]) => name)).toEqual(Object.keys(Environment.shape))
})

test('README.md gives the defaults that the settings have', () => {
  const defaults = Object.entries(Environment.parse({})).filter(([, value]) => value !== undefined)
  expect(defaults.length).toBeGreaterThan(15)
  for (const [name, value] of defaults) expect([name, table.get(name)]).toEqual([name, `\`${value}\``])
})
