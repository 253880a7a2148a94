// Owns the clinic's server in a running program: what policy allows, what was entered, the engine made of it, and the look that keeps it known.
import type { ServerFinding, ServerInput, ServerState, ServerUse } from '../../contract/hardware.ts'
import { AppError } from '../../contract/errors.ts'
import type { Log } from '../../base/log.ts'
import { readAddress } from '../../engine/remote/address.ts'
import { TIMES, type Access, type Times } from '../../engine/remote/connect.ts'
import { faultOf } from '../../engine/remote/failure.ts'
import { shownPin } from '../../engine/remote/pin.ts'
import { ServerEngine } from '../../engine/remote/server-engine.ts'
import { readWhole, writeWhole } from '../whole-file.ts'
import { entered, KeptServer, noServer } from './server-file.ts'
import type { ServerPolicy } from './server-policy.ts'

const WHAT = 'server settings'
/** Between two looks at a server that nobody asks. */
const LOOK_MS = 60_000
const NOT_ALLOWED = 'A server is not allowed on this computer. Ask who looks after it to allow one by policy.'

interface Parts {
  path: string
  policy: ServerPolicy
  log: Log
  /** Hears of every change of its state. */
  changed: () => void
  /** It failed when it was looked at. */
  lost: (error: AppError) => void
  /** It was set up anew: what failed before counts no more. */
  renewed: () => void
  /** It may be looked at now: not fenced. */
  mayLook: () => boolean
  times?: Partial<Times>
  lookMs?: number
}

export class Server {
  readonly #parts: Parts
  #kept: KeptServer
  #engine: ServerEngine | null = null
  /** Why there is no engine although it is switched on. */
  #problem = ''
  #timer: NodeJS.Timeout | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    // a server that the organisation names is asked unless a person has switched it off
    this.#kept = this.#named(readWhole(parts.path, KeptServer, WHAT, parts.log) ?? { ...noServer, enabled: parts.policy.url !== null })
    this.#open()
  }

  /** Looks at once and then now and again, until close(). */
  begin(): void {
    this.#timer = setInterval(() => void this.look(), this.#parts.lookMs ?? LOOK_MS)
    this.#timer.unref()
    void this.look()
  }

  /** null where none is switched on, allowed and usable. */
  get engine(): ServerEngine | null {
    return this.#engine
  }
  get use(): ServerUse {
    return this.#kept.use
  }

  state(): ServerState {
    const { enabled, url, model, use, key, pin, authority } = this.#kept
    const { allowed, plainHttp, url: named } = this.#parts.policy
    const problem = !enabled || !allowed ? '' : this.#problem || (this.#engine?.failure?.message ?? '')
    return {
      allowed,
      plainHttp,
      named: named !== null,
      enabled: enabled && allowed,
      url,
      model,
      use,
      hasKey: key !== '',
      pin,
      hasAuthority: authority !== '',
      problem,
    }
  }

  /** Stores it and begins with it. Throws BAD_INPUT in words, UNTRUSTED where policy forbids, STORE_READ_ONLY. */
  save(input: ServerInput): ServerState {
    const kept = this.#judge(input)
    if (!writeWhole(this.#parts.path, kept, WHAT, this.#parts.log)) throw new AppError('STORE_READ_ONLY')
    this.#kept = kept
    this.#parts.log.info('server settings changed', { enabled: kept.enabled, use: kept.use })
    this.#open()
    this.#parts.renewed()
    this.#parts.changed()
    void this.look()
    return this.state()
  }

  /** What the server says of itself, nothing stored. Throws what is wrong with it; for a certificate `data` has the pin that it shows. */
  async test(input: ServerInput): Promise<ServerFinding> {
    const kept = this.#judge({ ...input, enabled: true })
    const access = this.#access(kept)
    const { policy, log, times } = this.#parts
    const engine = new ServerEngine({ access, model: kept.model || null, log, ...(times ? { times } : {}) })
    const pin = () => shownPin(access.address, policy, TIMES.connect)
    try {
      const { program, models, model, contextSize, contextKnown, milliseconds } = await engine.look()
      return { ...{ program, models: [...models], model, contextSize, contextKnown, milliseconds }, pin: await pin() }
    } catch (error) {
      const fault = faultOf(error)
      if (!(error instanceof AppError) || (fault !== 'certificate' && fault !== 'pin')) throw error
      throw new AppError(error.code, error.message, { fault, host: access.address.host, pin: await pin() }, error)
    }
  }

  /** Whether it still answers. Never throws: the state has it. */
  async look(): Promise<void> {
    const engine = this.#engine
    if (!engine || engine.answering > 0 || !this.#parts.mayLook()) return
    try {
      await engine.look()
    } catch (error) {
      if (engine === this.#engine && error instanceof AppError) this.#parts.lost(error)
    }
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #judge(input: ServerInput): KeptServer {
    const { policy } = this.#parts
    if (!policy.allowed) throw new AppError('UNTRUSTED', NOT_ALLOWED)
    const kept = this.#named(entered(this.#kept, input))
    if (kept.enabled || kept.url !== '') readAddress(kept.url, policy)
    return kept
  }

  #named(kept: KeptServer): KeptServer {
    const { url } = this.#parts.policy
    return url === null ? kept : { ...kept, url }
  }

  #access({ url, key, pin, authority }: KeptServer): Access {
    const { policy } = this.#parts
    return { address: readAddress(url, policy), rules: policy, key: key || null, pin: pin || null, ca: authority || null }
  }

  #open(): void {
    this.#engine = null
    this.#problem = ''
    if (!this.#kept.enabled || !this.#parts.policy.allowed) return
    const { log, times, changed } = this.#parts
    try {
      const parts = { access: this.#access(this.#kept), model: this.#kept.model || null, log, changed }
      this.#engine = new ServerEngine({ ...parts, ...(times ? { times } : {}) })
    } catch (error) {
      // what was allowed when it was stored need not be so now
      this.#problem = AppError.wire(error).message
    }
  }
}
