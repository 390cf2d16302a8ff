import { describe, expect, test } from 'vitest'
import { createSandboxChannels } from '../../src/channels/sandbox/channels.ts'
import { createTwilioChannels } from '../../src/channels/twilio/channels.ts'
import { outgoingMessage } from '../support/outgoing.ts'

const credentials = { authToken: 'token' }
const twilioChannels = createTwilioChannels({ apiUrl: 'https://api.twilio.com', timeoutMs: 1000 })

describe.each(createSandboxChannels())('the sandbox’s $channel', (adapter) => {
  const to = (address: string) =>
    outgoingMessage({
      channel: adapter.channel,
      to: address,
      body: 'hi',
      statusCallbackUrl: 'https://inbox.test/status',
    })

  test('walks to READ by itself', async () => {
    expect(await adapter.send(to('+905551112233'), credentials)).toEqual({
      externalMessageId: expect.stringMatching(/^SM[0-9a-f]{32}$/),
      laterReceipts: [
        { status: 'DELIVERED', afterMs: 800 },
        { status: 'READ', afterMs: 1600 },
      ],
    })
  })
  test.each([
    ['+15005550001', '21211'],
    ['+15005550002', '21612'],
    ['+15005550003', '21408'],
    ['+15005550004', '21610'],
    ['+15005550009', '21614'],
  ])('%s is refused with %s', async (address, code) => {
    await expect(adapter.send(to(address), credentials)).rejects.toMatchObject({
      name: 'Rejected',
      code,
      recipientOptedOut: code === '21610',
    })
  })
  test('+15005550008 fails later', async () => {
    const { laterReceipts } = await adapter.send(to('+15005550008'), credentials)
    expect(laterReceipts).toEqual([
      { status: 'FAILED', afterMs: 800, error: { code: '30008', message: expect.stringContaining('carrier') } },
    ])
  })
  test('has Twilio’s limits and says what it is', async () => {
    const real = twilioChannels.find(({ channel }) => channel === adapter.channel)
    expect(adapter.capabilities).toEqual({ ...real?.capabilities, templatesNeedApproval: false, readReceipts: true })
    expect([adapter.sandbox, real?.sandbox]).toEqual([true, false])
    expect(await adapter.check({ address: '+15005550006', webhookUrl: 'https://inbox.test' }, credentials)).toEqual([
      { name: 'sandbox', ok: true, required: true, message: expect.stringContaining('nothing leaves this machine') },
    ])
  })
  test('reads media out of its URL only', async () => {
    const url = `data:image/png;base64,${Buffer.from('picture').toString('base64')}`
    expect(await adapter.fetchMedia(url, credentials, 7)).toEqual({ body: Buffer.from('picture'), contentType: 'image/png' })
    await expect(adapter.fetchMedia(url, credentials, 6)).rejects.toMatchObject({ name: 'Rejected', code: 'MEDIA_TOO_LARGE' })
    await expect(adapter.fetchMedia('data:', credentials, 6)).rejects.toMatchObject({ name: 'Rejected', code: 'UNREADABLE_MEDIA' })
  })
})
