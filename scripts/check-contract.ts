import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildSchema, concatAST, findBreakingChanges, parse, Source, validate } from 'graphql'

const HELP = `npm run contract              fails when schema/schema.graphql breaks an operation of schema/operations or the released contract
npm run contract -- --release makes the present schema the released contract (schema/released.graphql)`

const CURRENT = 'schema/schema.graphql'
const RELEASED = 'schema/released.graphql'
const OPERATIONS = 'schema/operations'

const { values } = parseArgs({ options: { release: { type: 'boolean' }, help: { type: 'boolean' } } })

if (values.help === true) {
  console.log(HELP)
} else if (values.release === true) {
  writeFileSync(RELEASED, readFileSync(CURRENT))
  console.log(`${RELEASED} is now what frontends may rely on.`)
} else {
  const problems = [...brokenOperations(), ...brokenPromises()]
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exitCode = 1
}

/** All documents together, since operations of one file use fragments of another. */
function brokenOperations(): string[] {
  const files = readdirSync(OPERATIONS).filter((file) => file.endsWith('.graphql'))
  if (files.length === 0) return [`${OPERATIONS} holds no operations`]
  const documents = files.map((file) => parse(new Source(readFileSync(join(OPERATIONS, file), 'utf8'), join(OPERATIONS, file))))
  return validate(buildSchema(readFileSync(CURRENT, 'utf8')), concatAST(documents)).map(String)
}

function brokenPromises(): string[] {
  if (!existsSync(RELEASED)) return []
  const read = (path: string) => buildSchema(readFileSync(path, 'utf8'))
  return findBreakingChanges(read(RELEASED), read(CURRENT)).map(({ description }) => `breaks the released contract: ${description}`)
}
