import type { Answer } from './app.ts'

/** The data of an answer without errors; throws with the whole answer otherwise. */
export function dataOf<Data>(answer: Answer<Data>): Data {
  if (answer.errors === undefined && answer.data !== null && answer.data !== undefined) return answer.data
  throw new Error(`the answer has errors: ${JSON.stringify(answer)}`)
}

/** The member of a result union that a test counts on; throws with the result where it is another one. */
export function member<Result extends { __typename: string }, Name extends Result['__typename']>(
  result: Result | null | undefined,
  name: Name,
): Extract<Result, { __typename: Name }> {
  if (result?.__typename === name) return result as Extract<Result, { __typename: Name }>
  throw new Error(`expected ${name}: ${JSON.stringify(result)}`)
}

/** What is there; throws where it is null. */
export function present<Value>(value: Value | null | undefined): Value {
  if (value === null || value === undefined) throw new Error('expected something, found nothing')
  return value
}
