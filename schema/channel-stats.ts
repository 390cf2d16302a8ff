import { type ChannelStat, channelStats, channelStatsSql } from '../src/domain/channel-stats.ts'
import { builder } from './builder.ts'
import { column, foundAll } from './compiled/field.ts'
import { signedIn } from './context.ts'
import { ChannelType } from './enums.ts'

const ChannelStats = builder.objectRef<ChannelStat>('ChannelStats').implement({
  description: 'Counts of messages; notes and calls are not counted.',
  fields: (t) => ({
    channel: t.field({ type: ChannelType, ...column('channel'), resolve: (stat) => stat.channel }),
    total: t.exposeInt('total', column('total')),
    today: t.exposeInt('today', { ...column('today'), description: "Since midnight in the organization's time zone." }),
    inbound: t.exposeInt('inbound', column('inbound')),
    outbound: t.exposeInt('outbound', column('outbound')),
    unread: t.exposeInt('unread', column('unread')),
    failed: t.exposeInt('failed', column('failed')),
  }),
})

builder.queryField('channelStats', (t) =>
  t.field({
    type: [ChannelStats],
    description: 'One for each channel that is connected or was ever used.',
    complexity: 200,
    ...foundAll(
      (item, { context: { deps, viewer }, bind }) =>
        `(${bind(channelStatsSql(viewer.organization.id, viewer.organization.timezone, deps.clock()))}) AS ${item}`,
      (item) => `${item}.channel`,
    ),
    resolve: (_root, _args, context) => {
      const { organization } = signedIn(context).viewer
      return channelStats(context.deps, organization.id, organization.timezone)
    },
  }),
)
