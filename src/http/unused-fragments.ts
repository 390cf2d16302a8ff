import { NoUnusedFragmentsRule, specifiedRules, type validate } from 'graphql'
import type { Plugin } from 'graphql-yoga'

/**
 * Lets a document hold fragments that it does not use: GraphiQL leaves out a tab's other operations, but not their fragments. They cost
 * nothing, since only what an operation spreads is executed; tokens are counted all the same.
 */
export function allowUnusedFragments(): Plugin {
  return {
    onValidate({ validateFn, setValidationFn }) {
      const before = validateFn as typeof validate
      const lenient: typeof validate = (schema, document, rules = specifiedRules, ...rest) =>
        before(
          schema,
          document,
          rules.filter((rule) => rule !== NoUnusedFragmentsRule),
          ...rest,
        )
      setValidationFn(lenient)
    },
  }
}
