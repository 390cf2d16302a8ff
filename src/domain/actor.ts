/** Who does it, on whose behalf. `memberId` is null for an API key and for the system itself. */
export type Actor = { organizationId: string; memberId: string | null }
