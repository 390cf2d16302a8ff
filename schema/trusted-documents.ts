import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { printExecutableGraphQLDocument } from '@graphql-tools/documents'
import { type DocumentNode, type FragmentDefinitionNode, Kind, type OperationDefinitionNode, parse, print, visit } from 'graphql'
import { type Fragments, fragmentsOf } from './fragments.ts'

const FOLDER = join(import.meta.dirname, 'operations')

/** `name`: the operation's; `spellings`: the texts that clients take the hash of. */
export type TrustedDocument = { name: string; text: string; spellings: string[] }

/**
 * The operations of schema/operations, with the hashes of their typed documents: of the text that graphql-js prints (Automatic Persisted
 * Queries), and of the one that the client preset of GraphQL Code Generator makes of it (trusted documents). Fragments are found across files.
 */
export function trustedDocuments(): TrustedDocument[] {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.graphql'))
  const definitions = files.flatMap((file) => parse(readFileSync(join(FOLDER, file), 'utf8')).definitions)
  const fragments = fragmentsOf(definitions)
  return definitions
    .filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
    .map((operation) => {
      const document = documentOf(operation, fragments)
      const text = print(document)
      return { name: operation.name?.value ?? '', text, spellings: [text, printExecutableGraphQLDocument(document)] }
    })
}

/** The operation with the fragments that it uses, in the order of GraphQL Code Generator: those that only fragments use come first. */
export function documentOf(operation: OperationDefinitionNode, fragments: Fragments): DocumentNode {
  const direct = spreadsOf(operation)
  const all = new Set(direct)
  for (const name of all) for (const nested of spreadsOf(fragments[name])) all.add(nested)
  const names = [...[...all].filter((name) => !direct.has(name)), ...direct]
  return { kind: Kind.DOCUMENT, definitions: [operation, ...names.flatMap((name) => fragments[name] ?? [])] }
}

function spreadsOf(node: OperationDefinitionNode | FragmentDefinitionNode | undefined): Set<string> {
  const names = new Set<string>()
  if (node !== undefined) visit(node, { FragmentSpread: ({ name }) => void names.add(name.value) })
  return names
}
