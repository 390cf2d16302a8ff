import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { textOfHtml, withoutMarks } from '../../src/channels/sendgrid/html.ts'
import { foldHistory } from '../../src/channels/sendgrid/quoted-history.ts'

const ANSWER = 'Yes, Thursday is fine.\n\nAda'
const quoted = '> Is Thursday fine?\n>\n> Your dentist'

const attributions = [
  ['Gmail', 'On Mon, Nov 9, 2026 at 10:15 AM Dentist <desk@example.com> wrote:'],
  ['Gmail, wrapped', 'On Mon, Nov 9, 2026 at 10:15 AM The Dentist Around the Corner\n<desk@example.com> wrote:'],
  ['Apple Mail', 'On 9. Nov 2026, at 10:15, Dentist <desk@example.com> wrote:'],
  ['Thunderbird', 'On 11/9/26 10:15, Dentist wrote:'],
  ['Turkish', 'Dentist <desk@example.com>, 9 Kas 2026 Pzt, 10:15 tarihinde şunu yazdı:'],
  ['German', 'Am Mo., 9. Nov. 2026 um 10:15 Uhr schrieb Dentist <desk@example.com>:'],
  ['French', 'Le lun. 9 nov. 2026 à 10:15, Dentist <desk@example.com> a écrit :'],
  ['Spanish', 'El lun, 9 nov 2026 a las 10:15, Dentist (<desk@example.com>) escribió:'],
  ['Italian', 'Il giorno lun 9 nov 2026 alle ore 10:15 Dentist <desk@example.com> ha scritto:'],
  ['Portuguese', 'Em seg., 9 de nov. de 2026 às 10:15, Dentist <desk@example.com> escreveu:'],
  ['Dutch', 'Op ma 9 nov 2026 om 10:15 schreef Dentist <desk@example.com>:'],
  ['Russian', 'пн, 9 нояб. 2026 г. в 10:15, Dentist <desk@example.com> написал:'],
  ['Japanese', '2026年11月9日(月) 10:15 Dentist <desk@example.com>:'],
] as const

describe('what is quoted is folded off', () => {
  test.each(attributions)('%s', (_name, attribution) => {
    expect(foldHistory(`${ANSWER}\n\n${attribution}\n\n${quoted}\n`, 'Re: Thursday')).toEqual({
      body: ANSWER,
      quotedText: `${attribution}\n\n${quoted}`,
    })
  })

  test.each(attributions.filter(([name]) => name !== 'Japanese'))('%s, without > before the lines', (_name, attribution) => {
    const history = `${attribution}\n\nIs Thursday fine?\nYour dentist`
    expect(foldHistory(`${ANSWER}\n\n${history}`, 'Re: Thursday')).toEqual({ body: ANSWER, quotedText: history })
  })

  test.each([
    ['English', '-----Original Message-----\nFrom: Dentist <desk@example.com>\nSent: Monday, November 9, 2026 10:15'],
    ['German', '-----Ursprüngliche Nachricht-----\nVon: Dentist'],
    ['Turkish', '-----Orijinal Mesaj-----\nKimden: Dentist'],
    ['French', "-----Message d'origine-----\nDe : Dentist"],
    ['Outlook', '________________________________\nFrom: Dentist <desk@example.com>\nSent: Monday\nTo: Ada\nSubject: Thursday'],
    ['Outlook in Turkish', 'Gönderen: Dentist\nGönderildi: 9 Kasım 2026 Pazartesi 10:15\nKime: Ada\nKonu: Thursday'],
    ['Outlook in Turkish, older', 'Kimden: Dentist\nGönderme Tarihi: 9 Kasım 2026 Pazartesi 10:15\nKime: Ada\nKonu: Thursday'],
    ['Outlook in German', 'Von: Dentist\nGesendet: Montag, 9. November 2026 10:15\nAn: Ada\nBetreff: Thursday'],
    ['Outlook in French', 'De : Dentist\nEnvoyé : lundi 9 novembre 2026\nÀ : Ada\nObjet : Thursday'],
    ['headers in bold', '*From:* Dentist\n*Sent:* Monday\n*To:* Ada\n*Subject:* Thursday'],
    ['Chinese', '发件人: Dentist\n发送时间: 2026年11月9日\n收件人: Ada\n主题: Thursday'],
  ])('a block of headers: %s', (_name, header) => {
    const history = `${header}\n\nIs Thursday fine?`
    expect(foldHistory(`${ANSWER}\n\n${history}`, 'Re: Thursday')).toEqual({ body: ANSWER, quotedText: history })
  })

  test('with carriage returns too', () => {
    expect(foldHistory(`Yes.\r\n\r\n> Is it?\r\n`, '')).toEqual({ body: 'Yes.', quotedText: '> Is it?' })
  })
})

test('an answer to a thread in which something was forwarded', () => {
  const history = '> ---------- Forwarded message ---------\n> From: A'
  expect(foldHistory(`Yes.\n\n${history}`, 'Re: A')).toEqual({ body: 'Yes.', quotedText: history })
})

describe('what is no history stays', () => {
  test.each([
    ['an answer below the quotation', `${quoted}\n\nThursday is fine.`, 'Re: Thursday'],
    ['answers between the quotations', 'Hello\n\n> Is Thursday fine?\nYes.\n> At ten?\nNo, at eleven.', 'Re: Thursday'],
    ['an attribution with an answer between', `On 11/9/26 10:15, Dentist wrote:\n> Thursday?\nYes.\n> Ten?\nNo.`, 'Re: Thursday'],
    ['nothing but a quotation', quoted, 'Re: Thursday'],
    [
      'what was forwarded',
      'See below\n\n---------- Forwarded message ---------\nFrom: A <a@example.com>\nDate: Mon\nSubject: B\nTo: C\n\nText',
      'B',
    ],
    ['what was forwarded, by its subject', 'See below\n\nFrom: A\nSent: Monday\nTo: B\nSubject: C\n\nText', 'FW: C'],
    ['a sentence with a colon', 'I need the following:\n\n1. a date\n2. a place', 'Thursday'],
    ['somebody who wrote', 'My mother wrote: come home.', ''],
    ['a list of people', 'From: Ankara\nwe drive on Monday', 'The journey'],
    ['a signature', 'Hello\n\n-- \nAda', ''],
  ])('%s', (_name, text, subject) => {
    expect(foldHistory(text, subject)).toEqual({ body: text, quotedText: null })
  })
})

describe('what the HTML marks as quoted', () => {
  test.each([
    [
      'Gmail',
      '<div>Yes.</div><br><div class="gmail_quote"><div class="gmail_attr">On Mon, Nov 9, 2026 Desk wrote:<br></div><blockquote class="gmail_quote">Is it?</blockquote></div>',
    ],
    [
      'Apple Mail',
      '<div>Yes.</div><div><br><blockquote type="cite"><div>On 9. Nov 2026, at 10:15, Desk wrote:</div><div>Is it?</div></blockquote></div>',
    ],
    [
      'Thunderbird',
      '<p>Yes.</p><div class="moz-cite-prefix">On 11/9/26 10:15, Desk wrote:<br></div><blockquote type="cite"><p>Is it?</p></blockquote>',
    ],
    ['Yahoo', '<div>Yes.</div><div class="yahoo_quoted"><div>On Monday, November 9, 2026, Desk wrote:</div><div>Is it?</div></div>'],
    ['Outlook', '<div>Yes.</div><hr><div id="divRplyFwdMsg"><b>From:</b> Desk<br><b>Sent:</b> Monday</div><div>Is it?</div>'],
    ['Outlook on the web', '<div>Yes.</div><div id="appendonsend"></div><hr><div><b>From:</b> Desk</div><div>Is it?</div>'],
    [
      'a language we do not know',
      '<div>Yes.</div><div class="gmail_quote">9.11.2026, Desk hefur ritað:<blockquote>Is it?</blockquote></div>',
    ],
  ])('%s', (_name, html) => {
    const { body, quotedText } = foldHistory(textOfHtml(html), 'Re: Thursday')
    expect(body.replace(/\n*-+$/, '')).toBe('Yes.')
    expect(quotedText).toContain('Is it?')
  })

  test('an answer below stays with it', () => {
    const html = '<blockquote type="cite"><div>Is it?</div></blockquote><div>Yes.</div>'
    expect(foldHistory(textOfHtml(html), '')).toEqual({ body: '> Is it?\nYes.', quotedText: null })
  })

  test('no mark is left', () => {
    const text = textOfHtml('<div class="gmail_quote">a<div class="gmail_quote">b\u{F0000}\u{F0001}</div></div>')
    expect(foldHistory(text, '').body).toBe(withoutMarks(text).trim())
    expect(foldHistory(text, '').body).not.toMatch(/[\u{F0000}\u{F0001}]/u)
  })
})

describe('nothing is lost', () => {
  const line = fc.oneof(
    fc.constantFrom(
      '',
      '> quoted',
      '>> twice',
      'An answer.',
      '-----Original Message-----',
      'From: A',
      'Sent: B',
      'Subject: C',
      'To: D',
      '  indented',
    ),
    fc.constantFrom(...attributions.map(([, attribution]) => attribution)),
    fc.string({ maxLength: 40 }),
  )
  const bare = (text: string) => withoutMarks(text).replaceAll(/\s/g, '')

  test('body and history together are the text', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), fc.constantFrom('', 'Re: A', 'Fwd: A'), (lines, subject) => {
        const text = lines.join('\n')
        const { body, quotedText } = foldHistory(text, subject)
        expect(bare(body + (quotedText ?? ''))).toBe(bare(text))
        expect(body === '' && quotedText !== null).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })

  test('also with marks anywhere', () => {
    const piece = fc.oneof(line, fc.constantFrom('\u{F0000}', '\u{F0001}', '\n'))
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const text = pieces.join('')
        const { body, quotedText } = foldHistory(text, '')
        expect(bare(body + (quotedText ?? ''))).toBe(bare(text))
        expect(body === '' && quotedText !== null).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })

  test('however long and strange', () => {
    for (const text of [
      '>'.repeat(100_000),
      `${'a '.repeat(50_000)}wrote:`,
      'From:\n'.repeat(20_000),
      '\n'.repeat(100_000),
      ':\n'.repeat(50_000),
      '-'.repeat(100_000),
    ]) {
      const { body, quotedText } = foldHistory(text, '')
      expect(bare(body + (quotedText ?? ''))).toBe(bare(text))
    }
  })
})
