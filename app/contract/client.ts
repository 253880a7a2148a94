// Owns the typed face of a transport. The page imports this file, errors.ts and port.ts; everything else of the contract only as types.
import type { Contract, EventOf, InputOf, NamesOf, OutputOf, StateOf, Transport } from './define.ts'
import { AppError } from './errors.ts'

/** Name and state of one topic: checking the name tells the state's type. */
export type TopicChange<C> = { [K in NamesOf<C, 'topic'>]: [name: K, state: StateOf<C[K]>] }[NamesOf<C, 'topic'>]
export type Client<C extends Contract> = ReturnType<typeof createClient<C>>

/** Wraps a transport so that names, inputs and results are those of contract C. Failures are thrown as AppError. */
export function createClient<C extends Contract>(transport: Transport) {
  return {
    async call<K extends NamesOf<C, 'call'>>(name: K, input: InputOf<C[K]>): Promise<OutputOf<C[K]>> {
      const result = await transport.call(name, input)
      if (!result.ok) throw AppError.unwire(result.error)
      return result.data as OutputOf<C[K]>
    },
    async *stream<K extends NamesOf<C, 'stream'>>(name: K, input: InputOf<C[K]>, signal: AbortSignal): AsyncGenerator<EventOf<C[K]>> {
      for await (const result of transport.stream(name, input, signal)) {
        if (!result.ok) throw AppError.unwire(result.error)
        yield result.data as EventOf<C[K]>
      }
    },
    /** Returns the function that ends the watch. `onLost` runs once if the other side goes away. */
    watch(onChange: (...change: TopicChange<C>) => void, onLost?: () => void): () => void {
      return transport.topics(onChange as unknown as (name: string, state: unknown) => void, onLost)
    },
  }
}
