import type { MediaKind } from '../channels/content.ts'

/**
 * What a file is for the one who gets it, by its media type. SVG is a DOCUMENT, because it can hold scripts and no channel shows it; whether
 * sound is a VOICE message and a picture a STICKER is not in the type.
 */
export function mediaKindOf(contentType: string | null): MediaKind {
  const [type = '', subtype = ''] = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase().split('/') ?? []
  if (subtype.endsWith('xml')) return 'DOCUMENT'
  if (type === 'image') return 'IMAGE'
  if (type === 'audio') return 'AUDIO'
  if (type === 'video') return 'VIDEO'
  return 'DOCUMENT'
}
