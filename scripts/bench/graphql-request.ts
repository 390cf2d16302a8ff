import { hash } from 'node:crypto'
import { Kind, parse, print, type SelectionNode, visit } from 'graphql'
import { fragmentsOf } from '../../schema/fragments.ts'
import { trustedDocuments } from '../../schema/trusted-documents.ts'

/** A POST to /graphql as bytes that are ready to be written to a socket. */
export function graphqlRequest(payload: object, token: string | null): string {
  const body = JSON.stringify(payload)
  return (
    `POST /graphql HTTP/1.1\r\nHost: bench\r\n${token === null ? '' : `Authorization: Bearer ${token}\r\n`}` +
    `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )
}

const documents = new Map(trustedDocuments().map(({ name, text }) => [name, text]))

/** One operation of schema/operations, with the fragments that it uses, as generated clients send it. */
export function operation(name: string): string {
  const text = documents.get(name)
  if (text === undefined) throw new Error(`schema/operations has no operation ${name}`)
  return text
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
      return inlined(fragments[selection.name.value]?.selectionSet.selections ?? [])
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
