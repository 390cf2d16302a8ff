import { readdirSync, readFileSync } from 'node:fs'
import { type DefinitionNode, Kind, type OperationDefinitionNode, parse, print } from 'graphql'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApp, type TestApp } from '../support/app.ts'

let app: TestApp

beforeAll(async () => {
  app = await startTestApp({ WORKER: 'off', GRAPHIQL: 'true' })
})
afterAll(() => app.close())

const isOperation = (definition: DefinitionNode): definition is OperationDefinitionNode => definition.kind === Kind.OPERATION_DEFINITION

/** As GraphiQL sends the operation that was chosen in a tab: without the others, but with every fragment. */
const chosen = readdirSync('schema/operations').flatMap((file) => {
  const { definitions } = parse(readFileSync(`schema/operations/${file}`, 'utf8'))
  const fragments = definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
  return definitions
    .filter(isOperation)
    .filter(({ operation }) => operation !== 'subscription')
    .map((operation): [string, string] => [
      operation.name?.value ?? '',
      print({ kind: Kind.DOCUMENT, definitions: [...fragments, operation] }),
    ])
})

test.each(chosen)('GraphiQL can run %s from its tab', async (_name, document) => {
  const { errors = [] } = await app.request(document, {})
  // Without variables there may be other errors: the operation was understood.
  expect(errors.filter(({ extensions }) => extensions?.code === 'GRAPHQL_VALIDATION_FAILED')).toEqual([])
})

test('what is wrong with a document is still said', async () => {
  const { errors } = await app.request('fragment F on Viewer { role } { viewer { rank } }', {})
  expect(errors?.map(({ message }) => message)).toEqual(['Cannot query field "rank" on type "Viewer".'])
})
