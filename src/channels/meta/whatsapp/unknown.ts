import type { UnknownFact } from '../../fact.ts'

export const unknown = (reason: string): UnknownFact => ({ kind: 'unknown', reason })
