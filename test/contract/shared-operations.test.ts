import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DocumentNode, Kind, parse, print, separateOperations, validate } from 'graphql'
import { expect, test } from 'vitest'
import { printedSchema } from '../support/graph.ts'

const SHARED = '../shared/operations'
const OURS = 'schema/operations'

function documentOf(folder: string): DocumentNode {
  const files = readdirSync(folder).filter((name) => name.endsWith('.graphql'))
  return { kind: Kind.DOCUMENT, definitions: files.flatMap((name) => parse(readFileSync(join(folder, name), 'utf8')).definitions) }
}

/** Each operation with the fragments that it uses, without regard to comments and white space. */
const operationsOf = (folder: string): Record<string, string> =>
  Object.fromEntries(Object.entries(separateOperations(documentOf(folder))).map(([name, document]) => [name, print(document)]))

const present = existsSync(SHARED)
if (!present) console.warn(`${SHARED} is not here: the operations are not held against what frontends send`)

test.runIf(present)('what frontends send is valid, and what the tests send is word for word the same', () => {
  expect(validate(printedSchema(), documentOf(SHARED))).toEqual([])
  const shared = operationsOf(SHARED)
  expect(Object.keys(shared).length).toBeGreaterThan(20)
  expect(operationsOf(OURS)).toMatchObject(shared)
})
