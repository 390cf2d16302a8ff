import type { InteractiveContent } from '../channels/content.ts'
import type { InteractiveInput } from './content-input.ts'
import { ValidationError } from './errors.ts'
import { optionalText, requiredText } from './text.ts'

const MAX = 10_000
const MAX_CHOICES = 100

/** The question as it is stored. Only what no channel allows is refused here; its own limits are the policy's. Throws ValidationError. */
export function interactiveContent(input: InteractiveInput, path: string[]): InteractiveContent {
  const { buttons, list } = input
  if ((buttons ?? []).length > 0 === (list !== null && list !== undefined)) {
    throw new ValidationError('interactive needs either buttons or a list.', path)
  }
  const content: InteractiveContent = {
    kind: 'INTERACTIVE',
    header: optionalText(input.header, [...path, 'header'], MAX),
    footer: optionalText(input.footer, [...path, 'footer'], MAX),
    buttons: (buttons ?? []).map((button, index) => choice(button, [...path, 'buttons', String(index)])),
    list: list === null || list === undefined ? null : listOf(list, [...path, 'list']),
  }
  checkIds(content.buttons, [...path, 'buttons'])
  checkTitles(content.buttons, [...path, 'buttons'])
  checkIds(content.list?.sections.flatMap(({ rows }) => rows) ?? [], [...path, 'list', 'sections'])
  return content
}

function listOf(list: NonNullable<InteractiveInput['list']>, path: string[]): InteractiveContent['list'] {
  const sections = list.sections.map((section, index) => {
    const place = [...path, 'sections', String(index)]
    const title = optionalText(section.title, [...place, 'title'], MAX)
    if (title === null && list.sections.length > 1)
      throw new ValidationError('Of several sections each needs a title.', [...place, 'title'])
    if (section.rows.length === 0) throw new ValidationError('A section needs at least one row.', [...place, 'rows'])
    const rows = section.rows.map((row, number) => {
      const spot = [...place, 'rows', String(number)]
      return { ...choice(row, spot), description: optionalText(row.description, [...spot, 'description'], MAX) }
    })
    return { title, rows }
  })
  if (sections.length === 0) throw new ValidationError('A list needs at least one section.', [...path, 'sections'])
  return { button: requiredText(list.button, [...path, 'button'], MAX), sections }
}

const choice = ({ id, title }: { id: string; title: string }, path: string[]) => ({
  id: requiredText(id, [...path, 'id'], MAX),
  title: requiredText(title, [...path, 'title'], MAX),
})

/** WhatsApp refuses a question whose buttons read the same, and nobody could choose between them anywhere else. */
function checkTitles(buttons: readonly { title: string }[], path: string[]): void {
  if (new Set(buttons.map(({ title }) => title.trim())).size < buttons.length)
    throw new ValidationError('Each button needs a title of its own.', path)
}

function checkIds(choices: readonly { id: string }[], path: string[]): void {
  if (choices.length > MAX_CHOICES) throw new ValidationError(`At most ${MAX_CHOICES} choices are allowed.`, path)
  if (new Set(choices.map(({ id }) => id)).size < choices.length) throw new ValidationError('Each choice needs an id of its own.', path)
}
