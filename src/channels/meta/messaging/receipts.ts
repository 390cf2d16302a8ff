import type { Fact, ReceiptFact } from '../../fact.ts'
import { idIn, type Json, timeIn } from '../json.ts'
import type { Occasion } from './occasion.ts'

/** `messaging[].delivery`: the messages named, or all up to the watermark where none is. */
export function parseDelivery(occasion: Occasion, delivery: Json): Fact[] {
  const mids = Array.isArray(delivery.mids) ? delivery.mids.map(idIn).filter((mid) => mid !== null) : []
  return mids.length > 0 ? [...new Set(mids)].map((mid) => receipt(mid, 'DELIVERED')) : watermark(occasion, 'DELIVERED', delivery.watermark)
}

/** `messaging[].read`: Instagram names the message, Messenger the time up to which everything was read. */
export function parseRead(occasion: Occasion, read: Json): Fact[] {
  const mid = idIn(read.mid)
  return mid === null ? watermark(occasion, 'READ', read.watermark) : [receipt(mid, 'READ')]
}

const receipt = (externalMessageId: string, status: 'DELIVERED' | 'READ'): ReceiptFact => ({
  kind: 'receipt',
  externalMessageId,
  communicationId: null,
  status,
  error: null,
})

function watermark({ customer, at }: Occasion, status: 'DELIVERED' | 'READ', value: unknown): Fact[] {
  const until = timeIn(value) ?? at
  if (until === null) return [{ kind: 'unknown', reason: `a receipt (${status}) that names neither a message nor a time` }]
  return [{ kind: 'watermark', address: customer, status, until }]
}
