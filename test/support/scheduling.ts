import { globalId, localId } from '../../schema/global-id.ts'
import {
  CancelMessageDocument,
  ScheduledMessagesDocument,
  type ScheduledMessagesQueryVariables,
  type SendMessageInput,
  UpdateScheduledMessageDocument,
  type UpdateScheduledMessageInput,
} from '../generated/graphql.ts'
import type { TestApp } from './app.ts'
import { dataOf, present } from './result.ts'
import { newPhone, type TwilioInbox } from './twilio-inbox.ts'

export type Change = Omit<UpdateScheduledMessageInput, 'communicationId'>

/** A time this many milliseconds from now. */
export const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString()

/** What the tests of scheduled messages ask of the graph. Ids are the rows'. */
export const scheduling = (app: TestApp) => ({
  async change(communicationId: string, change: Change) {
    const input = { communicationId: globalId('Communication', communicationId), ...change }
    return present(dataOf(await app.request(UpdateScheduledMessageDocument, { input })).updateScheduledMessage)
  },
  async cancel(communicationId: string) {
    const input = { communicationId: globalId('Communication', communicationId) }
    return present(dataOf(await app.request(CancelMessageDocument, { input })).cancelMessage)
  },
  async list(variables: ScheduledMessagesQueryVariables = {}) {
    const { edges, pageInfo } = dataOf(await app.request(ScheduledMessagesDocument, variables)).scheduledMessages
    const nodes = edges.map(({ node }) => node)
    return { nodes, ids: nodes.map(({ id }) => present(localId('Communication', id))), pageInfo }
  },
})

/** A text by SMS for a number that nobody else uses, `ms` milliseconds from now. */
export const scheduleText = (inbox: TwilioInbox, ms: number, more: Partial<SendMessageInput> = {}): Promise<string> =>
  inbox.send({ to: { address: newPhone() }, channelAccountId: inbox.sms.id, content: { text: 'As it was' }, sendAt: inMs(ms), ...more })

/** What Twilio has accepted for this message. */
export const acceptedFor = ({ fake }: TwilioInbox, communicationId: string) =>
  fake.messages.filter(({ params }) => String(params.StatusCallback).endsWith(`communicationId=${communicationId}`))
