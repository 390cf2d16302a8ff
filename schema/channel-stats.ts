import { type ChannelStat, channelStats } from '../src/domain/channel-stats.ts'
import { builder } from './builder.ts'
import { signedIn } from './context.ts'
import { ChannelType } from './enums.ts'

const ChannelStats = builder.objectRef<ChannelStat>('ChannelStats').implement({
  description: 'Counts of messages; notes and calls are not counted.',
  fields: (t) => ({
    channel: t.field({ type: ChannelType, resolve: (stat) => stat.channel }),
    total: t.exposeInt('total'),
    today: t.exposeInt('today', { description: "Since midnight in the organization's time zone." }),
    inbound: t.exposeInt('inbound'),
    outbound: t.exposeInt('outbound'),
    unread: t.exposeInt('unread'),
    failed: t.exposeInt('failed'),
  }),
})

builder.queryField('channelStats', (t) =>
  t.field({
    type: [ChannelStats],
    description: 'One for each channel that is connected or was ever used.',
    complexity: 200,
    resolve: (_root, _args, context) => {
      const { organization } = signedIn(context).viewer
      return channelStats(context.deps, organization.id, organization.timezone)
    },
  }),
)
