import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
} from 'graphql'
import type { NodeType } from '../../schema/global-id.ts'
import { isVisitorField } from './graph.ts'

export type Field = GraphQLField<unknown, unknown>

/** Where an id goes in a field's arguments, e.g. ["input", "to", "customerId"], and which node it wants (null: any). */
export type IdPlace = { path: string[]; wants: NodeType | null }

export type OwnIds = Record<NodeType, string>

/** Which node each argument or input field of type ID names. A new one has to be entered here. */
const nodeOfName: Record<string, NodeType | null> = {
  apiKeyId: 'ApiKey',
  appointmentId: 'Appointment',
  assigneeId: 'Member',
  attachmentIds: 'Attachment',
  channelAccountId: 'ChannelAccount',
  communicationId: 'Communication',
  communicationIds: 'Communication',
  conversationId: 'Conversation',
  customerId: 'Customer',
  identityId: 'CustomerIdentity',
  memberId: 'Member',
  mergeId: 'CustomerMerge',
  mergeSuggestionId: 'MergeSuggestion',
  mergedId: 'Customer',
  removeIdentityIds: 'CustomerIdentity',
  replyToCommunicationId: 'Communication',
  survivorId: 'Customer',
  templateId: 'Template',
  webhookReceiptId: 'WebhookReceipt',
  id: null,
  ids: null,
}

/** The branch of a one-of input that is taken where the path does not say. */
const usualBranch: Record<string, string> = {
  AppointmentCustomerInput: 'customerId',
  AppointmentStaffInput: 'memberId',
  AppointmentTargetInput: 'appointmentId',
  ChannelCredentialsInput: 'sandbox',
  MarkReadTargetInput: 'customerId',
  MessageContentInput: 'text',
  MessageRecipientInput: 'customerId',
}

const samples: Record<string, unknown> = {
  channel: 'SMS',
  kind: 'EXTERNAL',
  role: 'VIEWER',
  status: 'OPEN',
  types: [],
  address: '+14155550177',
  variables: {},
  contentType: 'text/plain',
  filename: 'sample.txt',
}

/** The staff's fields of a root type, in the order of the contract. */
export const rootFields = (schema: GraphQLSchema, kind: RootKind): Field[] =>
  allFields(schema, kind).filter((field) => !isVisitorField(field))

/** Those of a web chat's visitors, and of those who want to be one. */
export const visitorFields = (schema: GraphQLSchema, kind: RootKind): Field[] => allFields(schema, kind).filter(isVisitorField)

type RootKind = 'Query' | 'Mutation' | 'Subscription'

const allFields = (schema: GraphQLSchema, kind: RootKind): Field[] => Object.values((schema.getType(kind) as GraphQLObjectType).getFields())

/** The fields with arguments of every type that is a node. */
export function nodeFieldsWithArguments(schema: GraphQLSchema): { parent: string; field: Field }[] {
  const node = schema.getType('Node')
  if (!isInterfaceType(node)) throw new Error('the schema has no interface Node')
  return schema
    .getPossibleTypes(node)
    .flatMap((type) => Object.values(type.getFields()).flatMap((field) => (field.args.length > 0 ? [{ parent: type.name, field }] : [])))
}

/** Every place for an id in the arguments, however deep. */
export function idPlaces(field: Field): IdPlace[] {
  const walk = (name: string, type: GraphQLNamedType, path: string[]): IdPlace[] => {
    if (isInputObjectType(type)) {
      return Object.values(type.getFields()).flatMap((inner) => walk(inner.name, getNamedType(inner.type), [...path, inner.name]))
    }
    return type.name === 'ID' ? [{ path, wants: wanted(name, field) }] : []
  }
  return field.args.flatMap((argument) => walk(argument.name, getNamedType(argument.type), [argument.name]))
}

function wanted(name: string, field: Field): NodeType | null {
  const node = nodeOfName[name]
  if (node === undefined) throw new Error(`the argument ${name} of ${field.name} takes an id of which node?`)
  const own = getNamedType(field.type).name
  return node ?? (own === 'Node' ? null : (own as NodeType))
}

/** Arguments that are complete and, but for `value` at `place`, right for the organization whose ids are given. */
export function argumentsFor(field: Field, own: OwnIds, place: string[] | null, value: string | null): Record<string, unknown> {
  return objectOf(field.args, own, place, value, field)
}

type InputPart = Pick<GraphQLArgument, 'name' | 'type' | 'defaultValue'>

function objectOf(parts: readonly InputPart[], own: OwnIds, place: string[] | null, value: string | null, field: Field) {
  const chosen = parts.filter((part) => isNonNullType(part.type) || place?.[0] === part.name)
  return Object.fromEntries(
    chosen.map((part) => [part.name, partOf(part.name, part.type, own, place?.[0] === part.name ? place.slice(1) : null, value, field)]),
  )
}

function partOf(name: string, given: GraphQLInputType, own: OwnIds, place: string[] | null, value: string | null, field: Field): unknown {
  const type = getNullableType(given)
  if (isListType(type)) return [partOf(name, type.ofType, own, place, value, field)]
  if (isInputObjectType(type)) {
    const parts = Object.values(type.getFields())
    if (!type.isOneOf) return withTextOrName(type.name, objectOf(parts, own, place, value, field))
    const branch = parts.find((part) => part.name === (place?.[0] ?? usualBranch[type.name]))
    if (branch === undefined) throw new Error(`which branch of ${type.name}?`)
    return { [branch.name]: partOf(branch.name, branch.type, own, place?.slice(1) ?? null, value, field) }
  }
  if (type.name === 'ID') return place !== null && value !== null ? value : own[wanted(name, field) ?? 'Customer']
  if (isEnumType(type)) return type.getValue(String(samples[name])) === undefined ? type.getValues()[0]?.name : samples[name]
  if (type.name === 'DateTime') return name === 'endsAt' ? '2199-03-01T11:00:00.000Z' : '2199-03-01T10:00:00.000Z'
  return samples[name] ?? (type.name === 'Int' ? 1 : type.name === 'Boolean' ? true : `sample ${name}`)
}

/** Inputs whose fields are all optional but which need one. */
const withTextOrName = (type: string, input: object): object => (type === 'CreateCustomerInput' ? { name: 'sample', ...input } : input)

/** Everything that can be asked of a type without required arguments, `depth` objects deep; pages of two. */
export function selectionOf(schema: GraphQLSchema, type: GraphQLNamedType, depth: number, prefix = ''): string {
  if (isUnionType(type) || isInterfaceType(type)) {
    const fragments = schema.getPossibleTypes(type).map((one) => `... on ${one.name} ${selectionOf(schema, one, depth, `${one.name}_`)}`)
    return `{ __typename ${fragments.join(' ')} }`
  }
  if (!isObjectType(type)) return ''
  const fields = Object.values(type.getFields()).flatMap((field) => {
    if (field.args.some((argument) => isNonNullType(argument.type))) return []
    const inner = getNamedType(field.type)
    const label = prefix === '' ? '' : `${prefix}${field.name}: `
    const size = field.args.some(({ name }) => name === 'first') ? '(first: 2)' : ''
    if (isLeafType(inner)) return [`${label}${field.name}`]
    // An edge, a page and its information are no step of their own.
    const step = /Connection|Edge|PageInfo|Success/.test(inner.name) ? 0 : 1
    return depth - step < 0 ? [] : [`${label}${field.name}${size} ${selectionOf(schema, inner, depth - step)}`]
  })
  return `{ __typename ${fields.join(' ')} }`
}

/** An operation that calls one field of a root type with variables for all of its arguments. */
export function operationFor(schema: GraphQLSchema, kind: string, field: Field, given: object, depth = 2): string {
  return `${kind} ${declared(field, given)} { ${called(field, given)} ${selectionOf(schema, getNamedType(field.type), depth)} }`
}

/** A query that calls one field of a node with variables for all of its arguments. */
export function nodeOperationFor(schema: GraphQLSchema, parent: string, field: Field, given: object, id: string): string {
  const selection = selectionOf(schema, getNamedType(field.type), 1)
  return `query ${declared(field, given)} { node(id: ${JSON.stringify(id)}) { ... on ${parent} { ${called(field, given)} ${selection} } } }`
}

function declared(field: Field, given: object): string {
  const variables = field.args.filter(({ name }) => name in given).map(({ name, type }) => `$${name}: ${type}`)
  return variables.length === 0 ? '' : `(${variables.join(', ')})`
}

function called(field: Field, given: object): string {
  const passed = field.args.filter(({ name }) => name in given).map(({ name }) => `${name}: $${name}`)
  return `${field.name}${passed.length === 0 ? '' : `(${passed.join(', ')})`}`
}
