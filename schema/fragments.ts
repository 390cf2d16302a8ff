import { type DefinitionNode, type FragmentDefinitionNode, Kind } from 'graphql'

export type Fragments = Record<string, FragmentDefinitionNode>

/** The fragments among definitions, by their names. */
export const fragmentsOf = (definitions: readonly DefinitionNode[]): Fragments =>
  Object.fromEntries(
    definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION).map((fragment) => [fragment.name.value, fragment]),
  )
