import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type DefinitionNode, type FragmentDefinitionNode, Kind, parse, print, type SelectionNode, visit } from 'graphql'

/** A POST to /graphql as bytes that are ready to be written to a socket. */
export function graphqlRequest(payload: object, token: string | null): string {
  const body = JSON.stringify(payload)
  return (
    `POST /graphql HTTP/1.1\r\nHost: bench\r\n${token === null ? '' : `Authorization: Bearer ${token}\r\n`}` +
    `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )
}

/** One operation of schema/operations, with the fragments that it uses, as generated clients send it. */
export async function operation(file: string, name: string): Promise<string> {
  const document = parse(await readFile(`schema/operations/${file}.graphql`, 'utf8'))
  const fragments = fragmentsOf(document.definitions)
  const wanted = document.definitions.filter(
    (definition) => definition.kind === Kind.OPERATION_DEFINITION && definition.name?.value === name,
  )
  for (const definition of wanted) {
    visit(definition, {
      FragmentSpread({ name: { value } }) {
        const fragment = fragments.get(value)
        if (fragment !== undefined && !wanted.includes(fragment)) wanted.push(fragment)
      },
    })
  }
  return print({ kind: Kind.DOCUMENT, definitions: wanted })
}

/** What is sent instead of a document that the server knows (Automatic Persisted Queries). */
export const byHash = (text: string): object => ({
  extensions: { persistedQuery: { version: 1, sha256Hash: hash('sha256', text, 'hex') } },
})

/** The same fields as nobody has sent them before: without fragments, under another name. */
export function freeForm(text: string, name: string): string {
  const { definitions } = parse(text)
  const fragments = fragmentsOf(definitions)
  const inlined = (selections: readonly SelectionNode[]): SelectionNode[] =>
    selections.flatMap((selection) => {
      if (selection.kind !== Kind.FRAGMENT_SPREAD) return [selection]
      return inlined(fragments.get(selection.name.value)?.selectionSet.selections ?? [])
    })
  const operations = definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
  const document = visit(
    { kind: Kind.DOCUMENT, definitions: operations },
    {
      OperationDefinition: { leave: (node) => ({ ...node, name: { kind: Kind.NAME, value: name } }) },
      SelectionSet: { enter: (node) => ({ ...node, selections: inlined(node.selections) }) },
    },
  )
  return print(document)
}

const fragmentsOf = (definitions: readonly DefinitionNode[]): Map<string, FragmentDefinitionNode> =>
  new Map(
    definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION).map((fragment) => [fragment.name.value, fragment]),
  )
