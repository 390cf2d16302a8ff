import { readFileSync } from 'node:fs'
import { buildSchema, type GraphQLSchema, getNamedType, isUnionType } from 'graphql'

/** The committed contract. */
export const printedSchema = (): GraphQLSchema => buildSchema(readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8'))

/** Fields that are closed to staff say so in the contract. */
export const isVisitorField = ({ description }: { description?: string | null | undefined }): boolean =>
  /^(VISITOR|PUBLIC)\./.test(description ?? '')

/** The types that each mutation of the staff's may answer with; of the visitors', where `ofVisitors`. */
export function resultTypes(schema: GraphQLSchema, ofVisitors = false): { mutation: string; errors: string[]; success: string }[] {
  const mutations = Object.values(schema.getMutationType()?.getFields() ?? {})
  return mutations.flatMap((field) => {
    if (isVisitorField(field) !== ofVisitors) return []
    const union = getNamedType(field.type)
    if (!isUnionType(union)) throw new Error(`${field.name} answers with ${field.type}, not with a union`)
    const errors = union.getTypes().filter((type) => type.getInterfaces().some(({ name }) => name === 'UserError'))
    const [success] = union.getTypes().filter((type) => !errors.includes(type))
    return [{ mutation: field.name, errors: errors.map(({ name }) => name), success: success?.name ?? 'none' }]
  })
}

/** A document for a mutation of which only the kind of answer matters. */
export const errorDocument = (mutation: string): string => {
  const input = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`
  return `mutation ($input: ${input}!) { ${mutation}(input: $input) { __typename ... on UserError { code message path } } }`
}
