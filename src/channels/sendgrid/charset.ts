/** The text that the bytes are in `charset`; where that is not known or plainly wrong, in UTF-8, and at last in Windows-1252, which reads all. */
export function decodeText(bytes: Buffer, charset: string | undefined): string {
  for (const label of [charset, 'utf-8']) {
    if (label === undefined) continue
    try {
      return new TextDecoder(label, { fatal: true }).decode(bytes)
    } catch {
      // Another one has to do.
    }
  }
  return new TextDecoder('windows-1252').decode(bytes)
}
