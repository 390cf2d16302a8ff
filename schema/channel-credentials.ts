import { builder } from './builder.ts'

const Twilio = builder.inputType('TwilioCredentialsInput', {
  description: 'For SMS, WHATSAPP and RCS.',
  fields: (t) => ({
    accountSid: t.string({ required: true, description: 'Starts with AC.' }),
    authToken: t.string({ required: true, description: 'Also verifies the signature of webhooks.' }),
    messagingServiceSid: t.string({
      description:
        'Starts with MG. Messages are then sent through this Messaging Service. RCS needs it to fall back to SMS, on phones that have no RCS.',
    }),
  }),
})

const Meta = builder.inputType('MetaCredentialsInput', {
  description:
    "WHATSAPP: `accessToken`, `phoneNumberId`, `businessAccountId`. MESSENGER: `pageAccessToken`, `pageId`. INSTAGRAM: `accessToken`, `instagramAccountId` and, if known, `pageId`. The app's own secret is a setting of the server (META_APP_SECRET).",
  fields: (t) => ({
    accessToken: t.string({
      description: "WHATSAPP: a system user's token for the business account. INSTAGRAM: of the page that the account is linked to.",
    }),
    phoneNumberId: t.string({ description: 'WHATSAPP: the id of the number in WhatsApp Manager, digits only; not the number.' }),
    businessAccountId: t.string({ description: 'WHATSAPP: the id of the WhatsApp Business Account (WABA).' }),
    pageAccessToken: t.string({ description: 'MESSENGER: of the page, not of a person.' }),
    pageId: t.string({ description: 'MESSENGER, INSTAGRAM: the id of the Facebook page.' }),
    instagramAccountId: t.string({ description: 'INSTAGRAM: the id of the professional account, digits only; not the user name.' }),
  }),
})

const Sendgrid = builder.inputType('SendgridCredentialsInput', {
  description: 'For EMAIL.',
  fields: (t) => ({
    apiKey: t.string({ required: true, description: 'Starts with SG.; needs the permission to send mail.' }),
    webhookPublicKey: t.string({ description: "The verification key of the Event Webhook's signature." }),
    parsePublicKey: t.string({ description: "The verification key of Inbound Parse's security policy." }),
    inboundSecret: t.string({
      description:
        'Stands in the webhook addresses and proves that SendGrid is calling where nothing is signed: 16 to 200 characters; absent: a new random one, also when credentials are replaced, and with it new addresses.',
    }),
    inboundAddress: t.string({ description: "Where answers are to go, if Inbound Parse does not receive the account's own address." }),
    unsubscribeGroupId: t.int({ description: "Marketing messages belong to this unsubscribe group of SendGrid's." }),
  }),
})

const Webchat = builder.inputType('ParleyCredentialsInput', {
  description: 'For WEBCHAT, our own channel.',
  fields: (t) => ({
    identitySecret: t.string({
      description:
        "The key with which the organization's own server vouches for a visitor (HMAC), 32 to 256 characters; absent: nobody can be vouched for.",
    }),
    allowedOrigins: t.stringList({ description: 'The pages that may open the chat, e.g. https://www.example.com; absent or empty: all.' }),
  }),
})

const Sandbox = builder.inputType('SandboxCredentialsInput', {
  description: 'For SMS, WHATSAPP and RCS, simulated.',
  fields: (t) => ({
    authToken: t.string({ description: "Signs simulated webhooks as Twilio's auth token does: any text; absent: a random one." }),
  }),
})

export const ChannelCredentials = builder.inputType('ChannelCredentialsInput', {
  isOneOf: true,
  description:
    'Stored encrypted, never returned. The one that is set chooses the provider; a field that the channel needs and that is missing is a ValidationError that names it.',
  fields: (t) => ({
    twilio: t.field({ type: Twilio }),
    meta: t.field({ type: Meta }),
    sendgrid: t.field({ type: Sendgrid }),
    parley: t.field({ type: Webchat }),
    sandbox: t.field({ type: Sandbox }),
  }),
})
