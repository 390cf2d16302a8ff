import type { MediaKind } from '../channels/content.ts'

export type MediaInput = { attachmentIds: readonly string[]; caption?: string | null; kind?: MediaKind | null }

export type InteractiveInput = {
  body: string
  header?: string | null
  footer?: string | null
  buttons?: readonly { id: string; title: string }[] | null
  list?: {
    button: string
    sections: readonly {
      title?: string | null
      rows: readonly { id: string; title: string; description?: string | null }[]
    }[]
  } | null
}

export type EmailInput = { subject: string; text?: string | null; html?: string | null; attachmentIds?: readonly string[] | null }

/** What is to be sent: exactly one of these. */
export type ContentInput = {
  text?: string | null
  template?: { templateId: string; variables?: unknown } | null
  media?: MediaInput | null
  interactive?: InteractiveInput | null
  /** `emoji` null takes the reaction back. */
  reaction?: { communicationId: string; emoji?: string | null } | null
  email?: EmailInput | null
}
