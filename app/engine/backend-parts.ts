// Owns what can be said of a backend without loading it: whether its part of llama.cpp is in this copy of the program and its driver on this computer.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Backend } from '../contract/entities.ts'

const SYSTEMS: Partial<Record<NodeJS.Platform, string>> = { win32: 'win', darwin: 'mac', linux: 'linux' }
const windows = (name: string) => [join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', name)]
const folders = ['/usr/lib', '/usr/lib64', '/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib/wsl/lib', '/usr/local/lib']
/** Where the library of the driver may lie; one is enough. */
const drivers: Readonly<Record<'cuda' | 'vulkan', { files: string[]; missing: string }>> = {
  cuda: {
    files: process.platform === 'win32' ? windows('nvcuda.dll') : folders.map((folder) => join(folder, 'libcuda.so.1')),
    missing: 'No NVIDIA driver was found. If this computer has an NVIDIA card, install its driver, then test again.',
  },
  vulkan: {
    files: process.platform === 'win32' ? windows('vulkan-1.dll') : folders.map((folder) => join(folder, 'libvulkan.so.1')),
    missing: 'No Vulkan driver was found. If this computer has a graphics card, install its driver, then test again.',
  },
}

/** Why `backend` cannot be tried at all, for a person to read; null when it can. */
export function whyUnavailable(backend: Backend): string | null {
  if (backend === 'cpu') return null
  if (backend === 'metal') return process.platform === 'darwin' && process.arch === 'arm64' ? null : 'Only Macs with an Apple processor have Metal.'
  if (process.platform === 'darwin') return 'Macs have Metal instead.'
  const { files, missing } = drivers[backend]
  // folders of other distributions are not known: there the attempt itself tells
  if (!files.some((file) => existsSync(file)) && (process.platform === 'win32' || existsSync('/usr/lib/os-release'))) return missing
  return hasPart(backend) ? null : 'This copy of Rushlight comes without this part. Install the package for graphics cards.'
}

function hasPart(backend: 'cuda' | 'vulkan'): boolean {
  const name = `${SYSTEMS[process.platform] ?? process.platform}-${process.arch}-${backend}`
  const searched = createRequire(import.meta.url).resolve.paths('node-llama-cpp') ?? []
  return searched.some((folder) => existsSync(join(folder, '@node-llama-cpp', name, 'bins')))
}
