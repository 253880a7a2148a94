// Owns the three kinds of thing that may cross a process boundary, and the types derived from them. No Node, no DOM, no Electron.
import type * as z from 'zod'

type Schema = z.ZodType
export type Call = { readonly kind: 'call'; readonly input: Schema; readonly output: Schema }
export type Stream = { readonly kind: 'stream'; readonly input: Schema; readonly event: Schema }
export type Topic = { readonly kind: 'topic'; readonly state: Schema }
export type Contract = Readonly<Record<string, Call | Stream | Topic>>

/** One question, one answer. */
export const call = <I extends Schema, O extends Schema>(input: I, output: O) => ({ kind: 'call', input, output }) as const
/** One question, many events; the end of the stream is success, an abort of its signal ends the work. */
export const stream = <I extends Schema, E extends Schema>(input: I, event: E) => ({ kind: 'stream', input, event }) as const
/** A state that the other side always knows: a snapshot on connection, then every change. */
export const topic = <T extends Schema>(state: T) => ({ kind: 'topic', state }) as const

export type NamesOf<C, Kind extends string> = { [N in keyof C]: C[N] extends { kind: Kind } ? N : never }[keyof C] & string
export type InputOf<R> = R extends { input: infer I extends Schema } ? z.input<I> : never
export type ParsedOf<R> = R extends { input: infer I extends Schema } ? z.output<I> : never
export type OutputOf<R> = R extends { output: infer O extends Schema } ? z.output<O> : never
export type EventOf<R> = R extends { event: infer E extends Schema } ? z.output<E> : never
export type StateOf<R> = R extends { state: infer T extends Schema } ? z.output<T> : never

/** What a host must supply: exactly one function per call and per stream; a missing or an extra one does not compile. */
export type Handlers<C> = {
  [K in NamesOf<C, 'call'>]: (input: ParsedOf<C[K]>) => Promise<OutputOf<C[K]>> | OutputOf<C[K]>
} & { [K in NamesOf<C, 'stream'>]: (input: ParsedOf<C[K]>, signal: AbortSignal) => AsyncIterable<EventOf<C[K]>> }

export type WireError = { code: string; message: string; data?: unknown }
export type Result = { ok: true; data: unknown } | { ok: false; error: WireError }

/** What carries the contract: the Electron bridge, the loopback and the engine's port each offer these three methods. */
export interface Transport {
  call(name: string, input: unknown): Promise<Result>
  stream(name: string, input: unknown, signal: AbortSignal): AsyncIterable<Result>
  /** Calls `onState` with each topic's snapshot and then its changes until the returned function is called. */
  topics(onState: (name: string, state: unknown) => void, onLost?: () => void): () => void
}
