import type { ApiKey } from '../db/generated/client.ts'
import type { Role } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { apiKeyTopic } from '../events/bus.ts'
import { transact } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { newApiKey } from './api-key-secret.ts'
import { NotFoundError } from './errors.ts'
import { newId } from './ids.ts'
import { requiredText } from './text.ts'

/** `key` is the secret itself: it is given here and never again. */
export async function createApiKey(
  deps: Pick<Deps, 'db' | 'bus'>,
  actor: Actor,
  input: { name: string; role: Role },
): Promise<{ apiKey: ApiKey; key: string }> {
  const name = requiredText(input.name, ['input', 'name'], 200)
  const { key, hash, hint } = newApiKey()
  const apiKey = await transact(deps, actor.organizationId, async (tx, recorder) => {
    const id = newId()
    recorder.event({ type: 'API_KEY_CHANGED', actorId: actor.memberId, data: { apiKeyId: id, change: 'created', role: input.role } })
    return tx.apiKey.create({
      data: { id, organizationId: actor.organizationId, name, role: input.role, hint, hash, createdById: actor.memberId },
    })
  })
  return { apiKey, key }
}

/** The key stops working at once; sockets opened with it are closed. Revoking twice changes nothing. Throws NotFoundError. */
export async function revokeApiKey(deps: Pick<Deps, 'db' | 'bus' | 'clock'>, actor: Actor, apiKeyId: string): Promise<ApiKey> {
  const revoked = await transact(deps, actor.organizationId, async (tx, recorder) => {
    const before = await tx.apiKey.findFirst({ where: { id: apiKeyId, organizationId: actor.organizationId } })
    if (before === null) throw new NotFoundError('API key', ['input', 'apiKeyId'])
    if (before.revokedAt !== null) return before
    recorder.event({ type: 'API_KEY_CHANGED', actorId: actor.memberId, data: { apiKeyId, change: 'revoked' } })
    return tx.apiKey.update({ where: { id: apiKeyId }, data: { revokedAt: deps.clock() } })
  })
  deps.bus.ring(apiKeyTopic(apiKeyId))
  return revoked
}
