import { builder } from './builder.ts'
import { Communication } from './communication.ts'
import { reads } from './compiled/field.ts'

type Json = Record<string, unknown>

const objectIn = (value: unknown): Json | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null

/** The first of these that is a text: providers spell the same thing differently. */
const textOf = (from: Json | null, ...keys: string[]): string | null =>
  keys.map((key) => from?.[key]).find((value): value is string => typeof value === 'string' && value !== '') ?? null

const Referral = builder.objectRef<Json>('Referral').implement({
  description: 'What led the customer to write: an advertisement, a link or a post.',
  fields: (t) => ({
    source: t.string({
      nullable: true,
      description: 'What it was in the provider’s words, e.g. ad, post or SHORTLINK.',
      resolve: (referral) => textOf(referral, 'sourceType', 'source'),
    }),
    sourceId: t.string({
      nullable: true,
      description: 'Of the advertisement or post.',
      resolve: (referral) => textOf(referral, 'sourceId', 'ad_id'),
    }),
    sourceUrl: t.string({ nullable: true, resolve: (referral) => textOf(referral, 'sourceUrl', 'referer_uri') }),
    headline: t.string({
      nullable: true,
      resolve: (referral) => textOf(referral, 'headline') ?? textOf(objectIn(referral.ads_context_data), 'ad_title'),
    }),
    body: t.string({ nullable: true, resolve: (referral) => textOf(referral, 'body') }),
    ref: t.string({ nullable: true, description: 'What the link carried for us.', resolve: (referral) => textOf(referral, 'ref') }),
    clickId: t.string({
      nullable: true,
      description: 'By which the advertiser’s tools know the click.',
      resolve: (referral) => textOf(referral, 'ctwaClid'),
    }),
    raw: t.field({ type: 'JSON', description: 'All that the provider says.', resolve: (referral) => referral }),
  }),
})

builder.objectField(Communication, 'referral', (t) =>
  t.field({
    type: Referral,
    nullable: true,
    ...reads('direction', 'payload'),
    resolve: (row) => (row.direction === 'INBOUND' ? objectIn(objectIn(row.payload)?.referral) : null),
  }),
)
