import { readFile, writeFile } from 'node:fs/promises'
import { printSchema } from 'graphql'
import { schema } from '../schema/schema.ts'

const PATH = 'schema/schema.graphql'
const printed = `${printSchema(schema)}\n`

if (process.argv.includes('--check')) {
  const committed = await readFile(PATH, 'utf8').catch(() => '')
  if (committed !== printed) {
    console.error(`${PATH} is stale: npm run schema`)
    process.exitCode = 1
  }
} else {
  await writeFile(PATH, printed)
  console.log(`Wrote ${PATH}`)
}
