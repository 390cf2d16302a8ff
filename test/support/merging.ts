import { localId } from '../../schema/global-id.ts'
import {
  CustomerProfileDocument,
  CustomersDocument,
  CustomerWorkspaceDocument,
  MergeCustomersDocument,
  UnmergeCustomersDocument,
} from '../generated/graphql.ts'
import type { TestOrganization } from './organization.ts'
import { member, present } from './result.ts'

/** A customer: the global id, the row's id, and the number they write from. */
export type Person = { id: string; row: string; number: string }

/** What the tests of merging do with the customers of an organization. */
export function merging(org: TestOrganization) {
  let numbers = 0
  return {
    /** Someone who has written, once on each of the channels. */
    async writer(...channels: ('sms' | 'whatsapp')[]): Promise<Person> {
      const number = `+90555500${String(++numbers).padStart(4, '0')}`
      for (const channel of channels) await org[channel].inbound(number, `${number} by ${channel}`)
      const [found] = (await org.ask(CustomersDocument, { search: number })).customers.nodes
      const { id } = present(found)
      return { id, row: present(localId('Customer', id)), number }
    },
    async merge(survivor: Person, merged: Person) {
      const input = { survivorId: survivor.id, mergedId: merged.id }
      return member((await org.ask(MergeCustomersDocument, { input })).mergeCustomers, 'MergeCustomersSuccess')
    },
    unmerge: async (mergeId: string) => (await org.ask(UnmergeCustomersDocument, { input: { mergeId } })).unmergeCustomers,
    profile: async (id: string) => present((await org.ask(CustomerProfileDocument, { id })).customer),
    workspace: async (id: string) => present((await org.ask(CustomerWorkspaceDocument, { id })).customer),
  }
}
