/**
 * The doorbell. A ring carries nothing: who hears it reads the log from its own cursor, so a lost, doubled or late ring
 * costs latency, never data.
 */
export interface Bus {
  /** Never throws and never waits for delivery: rings are hints. */
  ring(topic: string): void
  /** `heard` may be called at any time, also for rings of before; it must be cheap and must not throw. */
  subscribe(topic: string, heard: () => void): Unsubscribe
  /** False while rings from other processes cannot be heard. */
  healthy(): boolean
  close(): Promise<void>
}

export type Unsubscribe = () => void

export const organizationTopic = (organizationId: string): string => `organization:${organizationId}`
/** Any channel account of any organization: they change seldom. */
export const channelAccountsTopic = 'channel-accounts'
/** The role of any member of any organization: they change seldom. */
export const memberRolesTopic = 'member-roles'
export const apiKeyTopic = (apiKeyId: string): string => `api-key:${apiKeyId}`
