import { describe, expect, test } from 'vitest'
import { targetOf } from '../../src/channels/twilio/http.ts'

describe('credentials leave', () => {
  const at = (apiUrl: string) => (uri: string) => targetOf({ apiUrl }, uri)
  test.each(['https://api.twilio.com', 'https://api.dublin.ie1.twilio.com'])('for Twilio’s own hosts only (%s)', (apiUrl) => {
    const target = at(apiUrl)
    expect(target('https://api.twilio.com/2010-04-01/Accounts.json?a=1')).toBe(`${apiUrl}/2010-04-01/Accounts.json?a=1`)
    expect(target('https://content.twilio.com/v1/Content')).toBe('https://content.twilio.com/v1/Content')
    for (const uri of [
      'https://content.twilio.com.evil.test/',
      'https://evil.test/v1',
      'http://content.twilio.com/v1',
      'https://eviltwilio.com/',
    ]) {
      expect(() => target(uri), uri).toThrow('FOREIGN_HOST')
    }
  })
  test('for the server that TWILIO_API_URL names, whatever host an answer points to', () => {
    const target = at('http://127.0.0.1:4010')
    expect(target('https://content.twilio.com/v1/Content?Page=1')).toBe('http://127.0.0.1:4010/v1/Content?Page=1')
    expect(target('https://evil.test/v1')).toBe('http://127.0.0.1:4010/v1')
  })
})
