import type { Known } from '../../support/known-messages.ts'

/** `known`: what was there before; `becomes`: the outcome, a line a fact; `again`: what a repeated delivery adds, where it is more than a duplicate. */
export type Expectation = { known?: Known[]; becomes: string[]; again?: string[] }
