import { HISTORY_BEGINS, MARKS, withoutMarks } from './html.ts'

/**
 * Folds the quoted history off an answer. There is no standard: mail programs write a line that names who wrote when, or a block of headers,
 * then the history, each line behind `>` or as it is. Three rules, of which the earliest place counts:
 *
 * 1. what the HTML marks as quoted (see `textOfHtml`), where nothing follows it;
 * 2. "-----Original Message-----" or a block of headers as Outlook writes it, in the languages below, and all that follows;
 * 3. lines behind `>` that reach to the end, with the paragraph above them that ends in a colon ("On … wrote:", in any language); or such a
 *    paragraph with a verb known below, and all that follows.
 *
 * Text below or between quotations is an answer to them: then nothing is folded. What was forwarded is what the message is about, and stays.
 * Nothing is lost: body and history together are the whole text but for white space between them, and the body is never empty for its sake.
 */
export function foldHistory(marked: string, subject: string): { body: string; quotedText: string | null } {
  const normalized = marked.replaceAll(/\r\n?/g, '\n')
  const text = withoutMarks(normalized)
  const whole = { body: trimmed(text), quotedText: null }
  if (FORWARD_SUBJECT.test(subject)) return whole
  const lines = text.split('\n')
  const places = [markedHistory(normalized, text), headerBlock(lines), quotation(lines)].filter((place) => place !== null)
  const cut = Math.min(...places)
  const body = trimmed(lines.slice(0, cut).join('\n'))
  const forwarded = lines.slice(0, Math.min(cut, lines.length) + 1).some((line) => FORWARDED.test(line))
  return places.length === 0 || body === '' || forwarded ? whole : { body, quotedText: trimmed(lines.slice(cut).join('\n')) }
}

/** Without blank lines around it: the first line keeps its indentation. */
const trimmed = (text: string): string => text.trimEnd().replace(/^(?:[^\S\n]*\n)+/, '')

const FORWARD_SUBJECT = /^\s*(fwd?|wg|i̇lt|ilt|tr|rv|enc|i|doorst|vs|pd)\s*:/i
const FORWARDED =
  /^\s*(-{2,}\s*(forwarded message|weitergeleitete nachricht|message transféré|mensaje reenviado|mensagem encaminhada|messaggio inoltrato|doorgestuurd bericht|iletilen (ileti|mesaj)|yönlendirilen (ileti|mesaj)|пересылаемое сообщение|转发的邮件|轉寄的郵件)\s*-{2,}|begin forwarded message:|anfang der weitergeleiteten nachricht:|iletilen ileti başlangıcı:|début du message réexpédié)/i

const ORIGINAL =
  /^[\s*_]*-{2,}\s*(original message|original appointment|ursprüngliche nachricht|original-nachricht|message d['’]origine|mensaje original|mensagem original|messaggio originale|oorspronkelijk bericht|(orijinal|özgün|asıl) (mesaj|ileti)|исходное сообщение|wiadomość oryginalna|původní zpráva|ursprungligt meddelande|oprindelig meddelelse|opprinnelig melding|alkuperäinen viesti|原始邮件|原始郵件|元のメッセージ)\s*-{2,}[\s*_]*$/i

const label = (words: string) => new RegExp(`^[\\s*]{0,4}(${words})\\s?[*]?\\s?[:：]`, 'i')
const FROM = label('from|von|de|da|van|kimden|gönderen|от|od|från|fra|lähettäjä|发件人|寄件者|差出人|보낸 사람')
const SENT = label(
  'sent|date|gesendet|datum|envoyé|enviado(?: el| em)?|fecha|data|inviato|verzonden|gönderildi|gönderme tarihi|tarih|отправлено|дата|wysłano|odesláno|skickat|sendt|dato|lähetetty|发送时间|寄件日期|送信日時|보낸 날짜',
)
const TO = label('to|an|à|para|a|aan|kime|alıcı|кому|do|komu|till|til|vastaanottaja|收件人|收件者|宛先|받는 사람')
const SUBJECT = label('subject|betreff|objet|asunto|assunto|oggetto|onderwerp|konu|тема|temat|předmět|ämne|emne|aihe|主题|主旨|件名|제목')

const WROTE =
  /(?<!\p{L})(wrote|writes|schrieb|a écrit|escribió|escreveu|ha scritto|scrisse|schreef|skrev|napisał|napisała|kirjoitti)(?!\p{L})|yazdı|yazmış|написал|пише|píše|napsal|写道|寫道|のメール|작성/iu

/** Longer lines are no headers and no attributions. */
const MAX_LINE = 500

/** The line at which history begins that the HTML marks as such and that nothing follows, with the attribution above it. */
function markedHistory(marked: string, text: string): number | null {
  const open: number[] = []
  let first: number | null = null
  const end = text.trimEnd().length
  let marks = 0
  for (const { 0: mark, index } of marked.matchAll(MARKS)) {
    const at = index - mark.length * marks++
    if (mark === HISTORY_BEGINS) open.push(at)
    else {
      const begun = open.pop()
      if (begun !== undefined && at >= end) first = Math.min(begun, first ?? begun)
    }
  }
  const from = Math.min(...open, first ?? Number.POSITIVE_INFINITY)
  if (!Number.isFinite(from)) return null
  return attributionAbove(text.split('\n'), text.slice(0, from).split('\n').length - 1)
}

/** The first line of "-----Original Message-----", or of a block that names sender, subject, and time or recipient. */
function headerBlock(lines: string[]): number | null {
  for (const [index, line] of lines.entries()) {
    if (line.length > MAX_LINE) continue
    if (ORIGINAL.test(line)) return index
    if (!FROM.test(line)) continue
    const block = lines.slice(index + 1, index + 9).filter((each) => each.length <= MAX_LINE)
    if (!block.some((each) => SUBJECT.test(each)) || !block.some((each) => SENT.test(each) || TO.test(each))) continue
    const above = lines.slice(0, index).findLastIndex((each) => each.trim() !== '')
    return above >= 0 && /^\s*[_-]{10,}\s*$/.test(lines[above] ?? '') ? above : index
  }
  return null
}

const isQuoted = (line: string): boolean => /^\s{0,3}>/.test(line)
const isBlank = (line: string): boolean => line.trim() === ''

/** Where quoted lines begin that reach to the end, or what an attribution introduces. */
function quotation(lines: string[]): number | null {
  const lastAnswer = lines.findLastIndex((line) => !isQuoted(line) && !isBlank(line))
  const first = lines.findIndex((line, index) => index > lastAnswer && isQuoted(line))
  if (first >= 0) return attributionAbove(lines, first)
  // Quoted lines with text below: an answer that stands between them.
  if (lines.some(isQuoted)) return null
  for (const [index, line] of lines.entries()) {
    const start = /[:：]\s*$/.test(line) ? attributionAbove(lines, index + 1) : index + 1
    if (start <= index && WROTE.test(lines.slice(start, index + 1).join(' '))) return start
  }
  return null
}

/** How a line begins that names a time: "On …" in some languages. */
const OPENER = /^\s*(on|am|le|el|em|il|op|den|em|w dniu|dnia|dne|na|в|vào|pada)\s/i

/** The first line of the attribution right above `index`, where there is one: a paragraph with a time or a mailbox, and a colon at its end. */
function attributionAbove(lines: string[], index: number): number {
  let last = index - 1
  while (last >= 0 && index - last <= 2 && isBlank(lines[last] ?? '')) last--
  if (!/[:：]\s*$/.test(lines[last] ?? '')) return index
  const starts = [0, 1, 2, 3]
    .map((above) => last - above)
    .filter((start) => !lines.slice(Math.max(start, 0), last).some(isBlank) && start >= 0)
  const named = starts.filter((start) => namesTimeOrMailbox(lines.slice(start, last + 1).join(' ')))
  const begins = (opener: RegExp) => named.find((start) => opener.test(lines[start] ?? ''))
  // Long ones are wrapped: they begin at their opener, or else where their date does.
  return begins(OPENER) ?? begins(/^\s*\d/) ?? named[0] ?? index
}

const namesTimeOrMailbox = (text: string): boolean =>
  text.length <= MAX_LINE && (/\d{4}|\d{1,2}[./:-]\d{2}/.test(text) || /\S@\S/.test(text))
