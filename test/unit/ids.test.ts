import { expect, test } from 'vitest'
import { newId, timeOfId } from '../../src/domain/ids.ts'

const FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test('ids are UUIDv7s of now, all different, in the order of creation', () => {
  const before = Date.now()
  const ids = Array.from({ length: 20_000 }, newId)
  expect(ids.every((id) => FORM.test(id))).toBe(true)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.toSorted()).toEqual(ids)
  expect(timeOfId(ids[0] ?? '').getTime()).toBeGreaterThanOrEqual(before)
  expect(timeOfId(ids.at(-1) ?? '').getTime()).toBeLessThanOrEqual(Date.now() + 1)
})

test('what nobody can know of an id differs from id to id', () => {
  const tails = Array.from({ length: 2_000 }, () => newId().slice(-10))
  expect(new Set(tails).size).toBe(tails.length)
})
