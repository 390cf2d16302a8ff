/** Ids of pages, accounts and customers are digits at Meta, too long for a number. */
export function normalizeId(address: string): string | null {
  const id = address.trim()
  return /^\d{1,32}$/.test(id) ? id : null
}
