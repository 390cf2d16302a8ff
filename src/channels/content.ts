/** What a file is for the one who gets it; VOICE is recorded speech, STICKER a picture without a frame. */
export type MediaKind = 'IMAGE' | 'AUDIO' | 'VOICE' | 'VIDEO' | 'DOCUMENT' | 'STICKER'

export type InteractiveButton = { id: string; title: string }
export type InteractiveRow = { id: string; title: string; description: string | null }
export type InteractiveList = { button: string; sections: { title: string | null; rows: InteractiveRow[] }[] }

/** A choice put to the customer: reply buttons, or a list behind one button. The question is the communication's body. */
export type InteractiveContent = {
  kind: 'INTERACTIVE'
  header: string | null
  footer: string | null
  buttons: InteractiveButton[]
  list: InteractiveList | null
}

/** What the customer chose. FLOW and ORDER carry what was filled in or ordered in `data`, in the provider's words. */
export type InteractiveReplyContent = {
  kind: 'INTERACTIVE_REPLY'
  reply: 'BUTTON' | 'LIST' | 'QUICK_REPLY' | 'POSTBACK' | 'FLOW' | 'ORDER'
  id: string | null
  title: string
  description: string | null
  data: Record<string, unknown> | null
}

/** Degrees (WGS 84). */
export type LocationContent = {
  kind: 'LOCATION'
  latitude: number
  longitude: number
  name: string | null
  address: string | null
  url: string | null
}

export type SharedContact = {
  name: string
  organization: string | null
  phones: { value: string; type: string | null }[]
  emails: { value: string; type: string | null }[]
}

/** `emoji` null: the reaction was taken back. `target`: the external id of the message reacted to. */
export type ReactionContent = { kind: 'REACTION'; emoji: string | null; target: string }

/** What a communication is, apart from its plain-text form. Notes and calls are known by their type. JSON-serializable: stored as it is. */
export type Content =
  | { kind: 'TEXT' }
  | { kind: 'MEDIA'; media: MediaKind; caption: string | null }
  | { kind: 'EMAIL' }
  | { kind: 'TEMPLATE'; name: string; language: string | null; variables: Record<string, string> }
  | InteractiveContent
  | InteractiveReplyContent
  | LocationContent
  | { kind: 'CONTACTS'; contacts: SharedContact[] }
  | ReactionContent
  /** Kept as it came: `type` is the provider's name for it, `raw` its own JSON. */
  | { kind: 'UNSUPPORTED'; type: string; raw: unknown }

/** The plain-text form of what has no text of its own; "" where nothing can be said. Text, e-mail, templates and questions bring their own. */
export function plainText(content: Content): string {
  switch (content.kind) {
    case 'MEDIA':
      return content.caption ?? ''
    case 'INTERACTIVE_REPLY':
      return content.title
    case 'LOCATION':
      return [content.name, content.address, `${content.latitude}, ${content.longitude}`].filter((part) => part !== null).join('\n')
    case 'CONTACTS':
      return content.contacts
        .map(({ name, phones, emails }) => [name, ...[...phones, ...emails].map(({ value }) => value)].join(' '))
        .join('\n')
    case 'REACTION':
      return content.emoji ?? ''
    case 'TEXT':
    case 'EMAIL':
    case 'TEMPLATE':
    case 'INTERACTIVE':
    case 'UNSUPPORTED':
      return ''
  }
}
