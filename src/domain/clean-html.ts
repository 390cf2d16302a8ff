import { sanitizeEmailHtml } from '../email-html.ts'
import { ValidationError } from './errors.ts'

/** What staff wrote as HTML, sanitized; null where nothing is left of it. Throws ValidationError where elements nest too deep. */
export function cleanHtml(html: string, path: string[]): string | null {
  try {
    return sanitizeEmailHtml(html)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new ValidationError('html has elements within elements more than 1,000 deep.', path)
  }
}
