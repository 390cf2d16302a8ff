import type { Content } from '../src/channels/content.ts'
import type { Communication as Row } from '../src/db/generated/client.ts'

export type ShownKind = Content['kind'] | 'NOTE' | 'CALL_LOG'

/** A communication and what it is: each member of the union of contents reads from both. */
export type Shown<Own> = { kind: ShownKind; row: Row; content: Own }
