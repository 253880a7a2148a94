// Owns the shortest transport: the router of the same process, for the terminal and for tests.
import type { Contract, Transport } from '../contract/define.ts'
import type { Router } from './router.ts'

export function localTransport<C extends Contract>(router: Router<C>): Transport {
  return {
    call: (name, input) => router.call(name, input),
    stream: (name, input, signal) => router.stream(name, input, signal),
    topics: (onState) => router.subscribe(onState),
  }
}
