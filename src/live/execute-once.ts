import { type ExecutionArgs, type ExecutionResult, execute, type GraphQLError } from 'graphql'

type Results = Map<string, Promise<ExecutionResult>>

// Keyed by the log's own event objects, of which all followers of an organization get the same one.
const executed = new WeakMap<object, Results>()
const serialized = new WeakMap<ExecutionResult, Buffer>()

export type MaskError = (error: unknown) => Error

/**
 * An event's result, executed once for all whose `key` is the same. `contextValue` is one for events that are executed at the same time,
 * because loaders cache by it.
 */
export function executeOnce(args: ExecutionArgs, payload: unknown, key: string, mask: MaskError): Promise<ExecutionResult> {
  const { event } = payload as { event?: object }
  if (event === undefined) return run(args, payload, mask)
  const results: Results = executed.get(event) ?? new Map()
  executed.set(event, results)
  const result = results.get(key) ?? run(args, payload, mask)
  results.set(key, result)
  // A failure is not shared with those who come later: for them the database may be back.
  void result.then(({ errors }) => errors !== undefined && results.delete(key))
  return result
}

/** A result as JSON, written once however many get it. */
export function serializeOnce(result: ExecutionResult): Buffer {
  const known = serialized.get(result)
  if (known !== undefined) return known
  const json = Buffer.from(JSON.stringify(result))
  serialized.set(result, json)
  return json
}

async function run(args: ExecutionArgs, rootValue: unknown, mask: MaskError): Promise<ExecutionResult> {
  const result = (await execute({ ...args, rootValue })) as ExecutionResult
  return result.errors === undefined ? result : { ...result, errors: result.errors.map((error) => mask(error) as GraphQLError) }
}
