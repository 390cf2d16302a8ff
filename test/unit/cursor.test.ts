import { expect, it } from 'vitest'
import { decodeCursor, encodeCursor } from '../../src/events/cursor.ts'

it('gives back what was encoded', () => {
  for (const seq of [0n, 1n, 499n, 2n ** 53n + 1n, 2n ** 63n - 1n]) {
    expect(encodeCursor(seq)).toMatch(/^[A-Za-z0-9_-]+$/)
    expect(decodeCursor(encodeCursor(seq))).toBe(seq)
  }
})

it('refuses what is not its own', () => {
  const made = (plain: string) => Buffer.from(plain).toString('base64url')
  const foreign = [
    '',
    '5',
    'null',
    '🙂',
    made('5'),
    made('e2:5'),
    made('e1:-5'),
    made('e1:05'),
    made('e1:5 '),
    made('e1:'),
    made(`e1:${2n ** 63n}`),
  ]
  for (const text of [...foreign, `${encodeCursor(5n)}=`, ` ${encodeCursor(5n)}`]) expect(decodeCursor(text), text).toBeNull()
})
