// Owns the composition of the page's state, and the context through which components read it. State reads; the host acts.
import { createContext } from 'svelte'
import type { AppContract } from '../../app/contract/contract.ts'
import type { Client } from '../../app/contract/client.ts'
import { Actions } from './actions.svelte.ts'
import { Announcer } from './announcer.svelte.ts'
import { AppState } from './app.svelte.ts'
import { Ask } from './ask.svelte.ts'
import { Composer } from './composer.svelte.ts'
import { Conversations } from './conversations.svelte.ts'
import { Helpers } from './helpers.svelte.ts'
import { Route } from './route.svelte.ts'

export type PageClient = Client<AppContract>
export interface Page {
  readonly client: PageClient
  readonly route: Route
  readonly announcer: Announcer
  readonly app: AppState
  readonly conversations: Conversations
  readonly composer: Composer
  readonly ask: Ask
  readonly actions: Actions
  readonly helpers: Helpers
}

export function createPage(client: PageClient): Page {
  const route = new Route()
  const announcer = new Announcer()
  const app = new AppState(client)
  const conversations = new Conversations(client)
  const composer = new Composer(client)
  const ask = new Ask({ client, route, announcer, conversations, demonstration: () => app.demonstration })
  const actions = new Actions({ app, ask, composer, announcer })
  const helpers = new Helpers(client)
  return { helpers, client, route, announcer, app, conversations, composer, ask, actions }
}

export const [getPage, setPage] = createContext<Page>()
