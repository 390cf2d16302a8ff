import type { Fact } from '../../fact.ts'
import type { MetaApp } from '../app.ts'
import type { Json } from './json.ts'

export function parseMessaging(_object: 'page' | 'instagram', _entryId: string, _item: Json, _app: MetaApp): Fact[] {
  return [{ kind: 'unknown', reason: 'not understood' }]
}

export function parseMessagingChange(_object: 'page' | 'instagram', _entryId: string, _change: Json, _app: MetaApp): Fact[] {
  return [{ kind: 'unknown', reason: 'not understood' }]
}
