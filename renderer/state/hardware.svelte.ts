// Owns what the hardware page sees while it is open: facts, plan, engines and server as the host tells them, and what a person does about them.
import type { EngineList, HardwareFacts, PlanOverride, PlanPicture, ServerFinding, ServerInput, ServerState } from '../../app/contract/hardware.ts'
import { m } from '../lib/messages.ts'
import type { Announcer } from './announcer.svelte.ts'
import type { AppState } from './app.svelte.ts'
import type { PageClient } from './page.ts'

export class HardwareState {
  /** null until the host has spoken. */
  facts = $state.raw<HardwareFacts | null>(null)
  plan = $state.raw<PlanPicture | null>(null)
  list = $state.raw<EngineList | null>(null)
  server = $state.raw<ServerState | null>(null)
  /** What the last change of the plan replaced, for its undo. */
  undo = $state.raw<{ before: PlanOverride | null } | null>(null)
  readonly #parts: { client: PageClient; app: AppState; announcer: Announcer }

  constructor(parts: { client: PageClient; app: AppState; announcer: Announcer }) {
    this.#parts = parts
  }

  /** Listens while the page is open; returns the end of it. */
  follow(): () => void {
    return this.#parts.client.watch((name, state) => {
      if (name === 'hardware.facts') this.facts = state
      else if (name === 'plan.picture') this.plan = state
      else if (name === 'engine.list') this.list = state
      else if (name === 'server.state') this.server = state
    })
  }

  /** Looks at every backend again and plans anew. */
  testAgain = () => this.#parts.app.try(() => this.#parts.client.call('hardware.look', null))

  async choose(override: PlanOverride | null): Promise<void> {
    const { app, client, announcer } = this.#parts
    await app.try(async () => {
      this.undo = await client.call('plan.override', { override })
      announcer.say(m.hardware.own.changed)
    })
  }

  async takeBack(): Promise<void> {
    const before = this.undo?.before ?? null
    const { app, client, announcer } = this.#parts
    await app.try(async () => {
      await client.call('plan.override', { override: before })
      this.undo = null
      announcer.say(m.hardware.own.undone)
    })
  }

  /** Throws what is wrong with the server: the form shows it beside the fields. */
  testServer = (input: ServerInput): Promise<ServerFinding> => this.#parts.client.call('server.test', input)
  async saveServer(input: ServerInput): Promise<void> {
    this.server = await this.#parts.client.call('server.save', input)
  }
}
