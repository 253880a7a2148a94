// Owns the list of settings that an organisation may decide: key, form, default, safe value, and the words that explain it.
import * as z from 'zod'

/** How a value is written in a registry and shown in an editor of group policies. */
export type PolicyForm =
  | { readonly kind: 'switch' }
  | { readonly kind: 'number'; readonly least: number; readonly most: number; readonly unit: string }
  | { readonly kind: 'choice'; readonly options: Readonly<Record<string, string>> }
  | { readonly kind: 'text'; readonly most: number }
  | { readonly kind: 'list'; readonly most: number }
export interface PolicyEntry<T = unknown> {
  readonly schema: z.ZodType<T>
  readonly form: PolicyForm
  readonly default: T
  /** What counts when a policy names the key and gives a value that cannot be understood: never more open than the default. */
  readonly safe: T
  /** May a user decide where the organisation does not? */
  readonly user: boolean
  readonly title: string
  readonly help: string
}
const entry = <T>(value: PolicyEntry<T>): PolicyEntry<T> => value

const Switch = z.boolean()
const whole = (least: number, most: number) => z.number().int().min(least).max(most)
const number = (least: number, most: number, unit: string) => ({ kind: 'number', least, most, unit }) as const
const modes = { auto: 'Rushlight chooses', base: 'Base model', adapter: 'Adapter', merged: 'Merged model' } as const
const engines = { cpu: 'Processor', cuda: 'NVIDIA (CUDA)', vulkan: 'Vulkan', metal: 'Metal' } as const
const languages = { 'en-GB': 'English (United Kingdom)' } as const
/** An Ed25519 public key: DER (SPKI) in base64, as `npm run model -- bundle` prints it. */
export const SignerKey = z.string().regex(/^MCowBQYDK2VwAyEA[A-Za-z0-9+/]{43}=$/, 'no Ed25519 public key')
/** http only within the building: loopback and private addresses. */
const ServerUrl = z
  .string()
  .max(300)
  .refine((text) => text === '' || isAllowedServer(text), 'neither https nor http to an address on the own network')

export const policyEntries = {
  modelsAllowed: entry({
    ...{
      schema: z.array(z.string().min(1).max(200)).max(200),
      form: { kind: 'list', most: 200 },
      default: [] as string[],
      safe: [] as string[],
      user: false,
    },
    title: 'Models that may be used',
    help: 'Catalogue ids, file names or SHA-256 hashes, one a line. An empty list allows every model.',
  }),
  mode: entry({
    ...{ schema: z.enum(keysOf(modes)), form: { kind: 'choice', options: modes }, default: 'auto' as const, safe: 'auto' as const, user: true },
    title: 'Mode',
    help: 'Which form of the model answers: the base model, the adapter of the category, or the merged model.',
  }),
  engines: entry({
    ...{ schema: z.array(z.enum(keysOf(engines))).max(4), form: { kind: 'list', most: 4 }, default: [], safe: ['cpu'], user: true },
    title: 'Engines that may be used',
    help: 'cpu, cuda, vulkan, metal, one a line. An empty list allows all that this computer has.',
  } as PolicyEntry<(keyof typeof engines)[]>),
  remoteServer: entry({
    ...{ schema: ServerUrl, form: { kind: 'text', most: 300 }, default: '', safe: '', user: false },
    title: 'Model server on the own network',
    help: 'Address of an OpenAI-compatible server, for example https://models.clinic.example:8443. Empty: nothing leaves this computer.',
  }),
  cache: entry({
    ...{ schema: Switch, form: { kind: 'switch' }, default: true, safe: false, user: true },
    title: 'Answer cache',
    help: 'Gives a stored answer again when the same clinical question is asked of the same model.',
  }),
  retentionDays: entry({
    ...{ schema: whole(0, 3650), form: number(0, 3650, 'days'), default: 0, safe: 0, user: true },
    title: 'Keep conversations for',
    help: 'Days after the last question; older conversations are deleted for good. 0 keeps them until somebody deletes them.',
  }),
  encryption: entry({
    ...{ schema: Switch, form: { kind: 'switch' }, default: true, safe: true, user: false },
    title: 'Encrypt stored conversations',
    help: 'Questions, answers and titles are sealed with a key of this user. Turn it off only where the whole disk is encrypted.',
  }),
  lockMinutes: entry({
    ...{ schema: whole(0, 240), form: number(0, 240, 'minutes'), default: 0, safe: 10, user: true },
    title: 'Lock after',
    help: 'Minutes without a key or a click until the PIN is asked for. 0: never.',
  }),
  pinRequired: entry({
    ...{ schema: Switch, form: { kind: 'switch' }, default: false, safe: true, user: false },
    title: 'A PIN is required',
    help: 'The program asks for a PIN to be chosen at its next start.',
  }),
  pinDigits: entry({
    ...{ schema: whole(4, 12), form: number(4, 12, 'digits'), default: 4, safe: 6, user: false },
    title: 'Shortest PIN',
    help: 'Number of digits that a PIN must have at least.',
  }),
  audit: entry({
    ...{ schema: Switch, form: { kind: 'switch' }, default: true, safe: true, user: false },
    title: 'Audit log',
    help: 'Notes who asked when, by which model and rules, without the question and the answer.',
  }),
  auditDays: entry({
    ...{ schema: whole(0, 3650), form: number(0, 3650, 'days'), default: 0, safe: 0, user: false },
    title: 'Keep the audit log for',
    help: 'Days; older entries are removed and the rest stays provable. 0 keeps all.',
  }),
  emergencyNumber: entry({
    ...{
      schema: z.string().regex(/^[0-9][0-9 /+-]{1,30}$/, 'no telephone number'),
      form: { kind: 'text', most: 31 },
      default: '112',
      safe: '112',
      user: true,
    },
    title: 'Emergency number',
    help: 'Shown in every emergency banner, for example 999 or 112.',
  }),
  language: entry({
    ...{
      schema: z.enum(keysOf(languages)),
      form: { kind: 'choice', options: languages },
      default: 'en-GB' as const,
      safe: 'en-GB' as const,
      user: true,
    },
    title: 'Language',
    help: 'Language of the program.',
  }),
  bundleSigners: entry({
    ...{ schema: z.array(SignerKey).max(20), form: { kind: 'list', most: 20 }, default: [] as string[], safe: [] as string[], user: false },
    title: 'Who may sign model bundles',
    help: 'Public keys in base64, one a line. A bundle by anyone else is refused. Empty: no bundle can be imported.',
  }),
  unsignedModels: entry({
    ...{ schema: Switch, form: { kind: 'switch' }, default: true, safe: false, user: false },
    title: 'Allow models without a signature',
    help: 'GGUF files that somebody has put into the model folder may be used.',
  }),
} as const
export type PolicyKey = keyof typeof policyEntries
export const policyKeys = Object.keys(policyEntries) as PolicyKey[]
export type PolicyValue<K extends PolicyKey> = (typeof policyEntries)[K] extends PolicyEntry<infer T> ? T : never
export type PolicyValues = { [K in PolicyKey]?: PolicyValue<K> }

/** What is wrong in a policy, for the page and the log. `nearest` is the key that was probably meant. */
export const PolicyProblem = z.object({ key: z.string().max(100), says: z.string(), nearest: z.string().nullable() })
export type PolicyProblem = z.infer<typeof PolicyProblem>

/** One line of the page that shows every setting: who has decided it, and whether it is locked. */
export const EffectiveSetting = z.object({
  key: z.string(),
  title: z.string(),
  help: z.string(),
  value: z.json(),
  setBy: z.enum(['policy', 'user', 'recommended', 'default']),
  locked: z.boolean(),
})
export type EffectiveSetting = z.infer<typeof EffectiveSetting>

function keysOf<T extends Readonly<Record<string, string>>>(options: T): [keyof T & string, ...(keyof T & string)[]] {
  return Object.keys(options) as [keyof T & string, ...(keyof T & string)[]]
}

function isAllowedServer(text: string): boolean {
  const url = URL.parse(text)
  if (!url || url.username !== '' || url.password !== '') return false
  if (url.protocol === 'https:') return true
  return (
    url.protocol === 'http:' &&
    /^(localhost|127\.\d+\.\d+\.\d+|10\.\d+\.\d+\.\d+|192\.168\.\d+\.\d+|172\.(1[6-9]|2\d|3[01])\.\d+\.\d+|\[::1\]|\[f[cd][0-9a-f:]+\])$/.test(
      url.hostname,
    )
  )
}
