import { randomUUID } from 'node:crypto'
import type { Outgoing, SendResult } from '../channel.ts'
import { explain, refusal } from '../twilio/errors.ts'

/** Source: https://www.twilio.com/docs/iam/test-credentials#test-sms-messages-parameters-To */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['+15005550001', '21211'],
  ['+15005550002', '21612'],
  ['+15005550003', '21408'],
  ['+15005550004', '21610'],
  ['+15005550009', '21614'],
])

/** Ours: accepted, and refused by the carrier later. */
const FAILING_LATER: ReadonlyMap<string, string> = new Map([['+15005550008', '30008']])

const FIRST_RECEIPT_MS = 800
const SECOND_RECEIPT_MS = 1600

/** Answers as Twilio would, without a network call. Throws Rejected for the magic recipients of Twilio's test credentials. */
export async function simulateSend(message: Outgoing): Promise<SendResult> {
  const code = REFUSED.get(message.to)
  if (code !== undefined) throw refusal(code)
  const externalMessageId = `SM${randomUUID().replaceAll('-', '')}`
  const failure = FAILING_LATER.get(message.to)
  if (failure !== undefined) {
    return {
      externalMessageId,
      laterReceipts: [{ status: 'FAILED', afterMs: FIRST_RECEIPT_MS, error: { code: failure, message: explain(failure) } }],
    }
  }
  return {
    externalMessageId,
    laterReceipts: [
      { status: 'DELIVERED', afterMs: FIRST_RECEIPT_MS },
      { status: 'READ', afterMs: SECOND_RECEIPT_MS },
    ],
  }
}
