// Owns where a machine's policy comes from: /etc/rushlight/policy.json, on Windows HKLM\Software\Policies\Rushlight.
import { execFile } from 'node:child_process'
import { lstatSync, readFileSync, statSync } from 'node:fs'
import { policyEntries, policyKeys, type PolicyForm } from '../../contract/policy.ts'
import { judgePolicy, noPolicy, unreadablePolicy, type Policy, type RawPolicy } from './effective.ts'

export const POLICY_FILE = '/etc/rushlight/policy.json'
export const POLICY_HIVE = 'HKLM\\Software\\Policies\\Rushlight'
const MOST_BYTES = 256 * 1024

/** Runs reg.exe; resolves to its output, or null when the key is not there (exit code 1). */
export type RegQuery = (args: readonly string[]) => Promise<string | null>

/** The policy of this machine. Never throws: a policy that cannot be read is one whose settings all have their safe value. */
export async function readMachinePolicy(options: { platform?: NodeJS.Platform; file?: string; query?: RegQuery } = {}): Promise<Policy> {
  if ((options.platform ?? process.platform) !== 'win32') return readPolicyFile(options.file ?? POLICY_FILE)
  try {
    const output = await (options.query ?? regQuery)(['query', POLICY_HIVE, '/s', '/reg:64'])
    return judgePolicy(output === null ? noPolicy : parseRegistry(output))
  } catch {
    return unreadablePolicy(`The policy in ${POLICY_HIVE} cannot be read. Ask your IT department.`)
  }
}

/** Keys at the top bind; those under "recommended" only suggest. No file, no policy. */
export function readPolicyFile(path: string): Policy {
  let value: unknown
  let open = false
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false })
    if (!stats) return judgePolicy(noPolicy)
    const file = statSync(path)
    if (!file.isFile() || file.size > MOST_BYTES) return unreadablePolicy(`${path} is no policy file. Ask your IT department.`)
    open = process.platform !== 'win32' && (file.mode & 0o022) !== 0
    value = JSON.parse(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''))
  } catch {
    return unreadablePolicy(`${path} cannot be read as JSON. Until it is corrected, every setting has its safe value.`)
  }
  if (!isObject(value)) return unreadablePolicy(`${path} holds no JSON object. Until it is corrected, every setting has its safe value.`)
  const { recommended = {}, ...mandatory } = value
  const judged = judgePolicy({ mandatory, recommended: isObject(recommended) ? recommended : {} })
  const problems = [...judged.problems]
  if (!isObject(recommended)) problems.push({ key: 'recommended', says: 'This is no JSON object and was passed over.', nearest: null })
  if (open)
    problems.push({ key: '', says: `Others than its owner may write ${path}. It counts all the same; correct its permissions.`, nearest: null })
  return { ...judged, problems }
}

/**
 * The output of `reg query HKLM\Software\Policies\Rushlight /s`: a line with the key, then a line a value: name, type, data, each four spaces
 * apart. Values under …\Recommended only suggest. Names are those of the settings, capitals aside.
 */
export function parseRegistry(output: string): RawPolicy {
  const raw: { mandatory: Record<string, unknown>; recommended: Record<string, unknown> } = { mandatory: {}, recommended: {} }
  let into: Record<string, unknown> | null = null
  for (const line of output.split(/\r?\n/)) {
    const hive = /^HKEY_LOCAL_MACHINE\\Software\\Policies\\Rushlight(\\Recommended)?$/i.exec(line.trim())
    if (hive) into = hive[1] === undefined ? raw.mandatory : raw.recommended
    else if (/^HKEY_/i.test(line)) into = null
    const [, name, type, data = ''] = /^ {4}(\S.*?) {4}(REG_[A-Z_]+)(?: {4}(.*))?$/.exec(line) ?? []
    if (into && name !== undefined && type !== undefined && name !== '(Default)') into[name] = typed(name, type, data)
  }
  return raw
}

/** As the setting of this name wants it; else as it stands, so that the judgement can say what is wrong. */
function typed(name: string, type: string, data: string): unknown {
  const key = policyKeys.find((one) => one.toLowerCase() === name.toLowerCase())
  const kind: PolicyForm['kind'] | undefined = key && policyEntries[key].form.kind
  if (type === 'REG_DWORD' || type === 'REG_QWORD') {
    const value = Number(data)
    return kind === 'switch' ? (value === 0 ? false : value === 1 ? true : value) : value
  }
  // reg.exe writes the ends of a REG_MULTI_SZ's strings as \0
  if (type === 'REG_MULTI_SZ') return data.split('\\0').filter((text) => text !== '')
  return data
}

const regQuery: RegQuery = (args) =>
  new Promise((resolve, reject) =>
    execFile('reg.exe', args, { windowsHide: true, timeout: 10_000, maxBuffer: 4 * MOST_BYTES }, (error, output) => {
      if (!error) resolve(output)
      else if (error.code === 1) resolve(null)
      else reject(error)
    }),
  )

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
