// Owns the building of native/out/trainer: against the ggml libraries that node-llama-cpp ships, or from llama.cpp's source. Node built-ins only.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const native = dirname(fileURLToPath(import.meta.url))
const root = dirname(native)
const modules = join(root, 'node_modules')
const engine = join(modules, 'node-llama-cpp')
const bundle = join(engine, 'llama', 'gitRelease.bundle')
const out = join(native, 'out')
const sources = join(native, 'trainer')

const help = `Build the trainer, native/out/trainer. Nothing is built again while sources, options and libraries are the same.

  node native/build.mjs [--sanitize] [--package NAME] [--json]
  node native/build.mjs --source [--blas] [--cuda] [--json]

  (no option)     against the ggml libraries of node-llama-cpp: seconds; needs git and g++ or clang++
  --sanitize      native/out/trainer-sanitized, with address and undefined-behaviour checks
  --package NAME  of which package of node-llama-cpp, such as linux-x64-cuda or linux-x64-vulkan: trains on the graphics processor too
  --source        native/out/trainer-source, ggml compiled from the source in node-llama-cpp: minutes; needs cmake as well.
                  The way for Windows, and for a CPU tuned to this machine
  --blas          with --source: OpenBLAS for the large products (Debian: libopenblas-dev)
  --cuda          with --source: NVIDIA graphics processors (needs the CUDA toolkit)
  --json          print one object {executable, built, seconds} or {code, message}

CXX in the environment names another compiler. Exit code 0: there; 1: not built, and why; 2: wrong use.
`

/** What keeps the trainer from being built. Codes: NO_COMPILER, NO_GIT, NO_CMAKE, NO_LIBRARY, VERSION_MISMATCH, COMPILE_FAILED. */
export class BuildError extends Error {
  constructor(code, message) {
    super(message)
    this.code = code
  }
}

/**
 * Builds what `options` ask for, unless it is there already.
 * @param {{ sanitize?: boolean, source?: boolean, blas?: boolean, cuda?: boolean, package?: string }} options
 * @returns {{ executable: string, built: boolean, seconds: number }} Throws BuildError.
 */
export function buildTrainer({ sanitize = false, source = false, blas = false, cuda = false, package: chosen } = {}) {
  const options = { sanitize, source, blas, cuda }
  const started = performance.now()
  const name = source ? 'trainer-source' : sanitize ? 'trainer-sanitized' : 'trainer'
  const executable = join(out, process.platform === 'win32' ? `${name}.exe` : name)
  const stamp = join(out, `${name}.stamp`)
  const compiler = findCompiler()
  const libraries = source ? undefined : findLibraries(chosen)
  const key = keyOf({ options, compiler, libraries, bundle: versionOf(bundle) })
  const built = !existsSync(executable) || !existsSync(stamp) || readFileSync(stamp, 'utf8') !== key
  if (built) {
    mkdirSync(out, { recursive: true })
    if (source) buildFromSource(executable, compiler, options)
    else compile(executable, compiler, libraries, sanitize)
    writeFileSync(stamp, key)
  }
  return { executable, built, seconds: Math.round((performance.now() - started) / 100) / 10 }
}

function findCompiler() {
  const candidates = process.env['CXX'] ? [process.env['CXX']] : ['g++', 'clang++', 'c++']
  for (const command of candidates) {
    const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' })
    if (status === 0) return { command, version: stdout.split('\n')[0] }
  }
  throw new BuildError(
    'NO_COMPILER',
    `No C++ compiler was found (tried ${candidates.join(', ')}). Install g++ or clang++ (Debian: apt install g++), or name one in CXX.`,
  )
}

/** The shipped libraries, which must be of the version of the bundled source: a header of another version describes other structs. */
function findLibraries(chosen) {
  const system = process.platform === 'darwin' ? 'mac' : process.platform === 'win32' ? 'win' : process.platform
  const plain = system === 'mac' && process.arch === 'arm64' ? 'mac-arm64-metal' : `${system}-${process.arch}`
  const name = chosen ?? plain
  if (system === 'win')
    throw new BuildError('NO_LIBRARY', 'On Windows the shipped libraries cannot be linked with. Use node native/build.mjs --source.')
  const folder = join(modules, '@node-llama-cpp', name, 'bins', name)
  if (!existsSync(folder)) throw new BuildError('NO_LIBRARY', `node-llama-cpp's package ${name} is not installed. Run npm install, or use --source.`)
  const { tag } = JSON.parse(readFileSync(join(engine, 'llama', 'llama.cpp.info.json'), 'utf8'))
  const { release } = JSON.parse(readFileSync(join(folder, '_nlcBuildMetadata.json'), 'utf8')).buildOptions.llamaCpp
  if (release !== tag)
    throw new BuildError('VERSION_MISMATCH', `The libraries of ${name} are llama.cpp ${release} and the source is ${tag}. Run npm install.`)
  const files = ['ggml', 'ggml-base'].map((stem) => {
    const named = [`lib${stem}.${tag}`, `lib${stem}`].flatMap((base) => [`${base}.so`, `${base}.dylib`])
    const file = named.find((entry) => existsSync(join(folder, entry)))
    if (!file) throw new BuildError('VERSION_MISMATCH', `lib${stem} of llama.cpp ${tag} is not in the package ${name}. Run npm install.`)
    return join(folder, file)
  })
  return { name, folder, files, tag }
}

/** Everything that decides the outcome. */
function keyOf(facts) {
  const hash = createHash('sha256')
    .update(JSON.stringify(facts))
    .update(readFileSync(fileURLToPath(import.meta.url)))
  for (const file of [join(native, 'CMakeLists.txt'), ...trainerFiles().map((name) => join(sources, name))])
    hash.update(relative(native, file)).update(readFileSync(file))
  return hash.digest('hex')
}
const trainerFiles = () => readdirSync(sources).sort()

/** The commit in the bundle. */
function versionOf(file) {
  const { error, status, stdout } = spawnSync('git', ['bundle', 'list-heads', file], { encoding: 'utf8' })
  if (error)
    throw new BuildError('NO_GIT', 'git was not found; it takes ggml’s headers out of node-llama-cpp. Install git (Debian: apt install git).')
  if (status !== 0) throw new BuildError('NO_LIBRARY', `${relative(root, file)} is missing or damaged. Run npm install.`)
  return stdout.split(/\s/)[0]
}

/** Folders of the bundled source, checked out once per version; `parts` are paths in it. */
function checkOut(kind, parts) {
  const folder = join(out, `${kind}-${versionOf(bundle).slice(0, 12)}`)
  if (existsSync(folder)) return folder
  // another build may do the same at this moment
  const [repository, fresh] = [`${folder}.${process.pid}.git`, `${folder}.${process.pid}.new`]
  mkdirSync(fresh, { recursive: true })
  const git = (...args) => {
    const { status, stderr } = spawnSync('git', args, { encoding: 'utf8' })
    if (status !== 0) throw new BuildError('NO_GIT', `git could not unpack ${relative(root, bundle)}: ${stderr.trim()}`)
  }
  git('clone', '--quiet', '--bare', bundle, repository)
  git(`--git-dir=${repository}`, `--work-tree=${fresh}`, 'checkout', 'HEAD', '--', ...parts)
  rmSync(repository, { recursive: true, force: true })
  if (existsSync(folder)) rmSync(fresh, { recursive: true, force: true })
  else renameSync(fresh, folder)
  return folder
}

/** One translation unit: the standard library and the JSON parser are then compiled once, which is most of the work. */
function compile(executable, { command }, { folder, files }, sanitize) {
  const headers = checkOut('headers', ['ggml/include', 'ggml/CMakeLists.txt', 'vendor/nlohmann'])
  const version = ggmlVersion(headers)
  const units = trainerFiles().filter((name) => name.endsWith('.cpp'))
  const unit = units.map((name) => `#include "${name}"\n`).join('')
  const temporary = `${executable}.${process.pid}.new`
  const args = [
    ...['-std=c++17', '-Wall', '-Wextra', '-x', 'c++', '-'],
    ...(sanitize ? ['-O0', '-g1', '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined', '-fno-omit-frame-pointer'] : ['-O2']),
    ...['-I', sources, '-I', join(headers, 'ggml', 'include'), '-isystem', join(headers, 'vendor')],
    ...[`-DGGML_EXPECTED_VERSION="${version}"`, `-DGGML_BACKEND_FOLDER="${folder}"`],
    ...['-o', temporary, '-x', 'none', ...files, `-Wl,-rpath,${folder}`],
  ]
  const { status, stderr } = spawnSync(command, args, { input: unit, encoding: 'utf8', maxBuffer: 1 << 26 })
  if (status !== 0) {
    rmSync(temporary, { force: true })
    throw new BuildError('COMPILE_FAILED', `${command} could not compile the trainer.\n${stderr ?? ''}`)
  }
  if (stderr) process.stderr.write(stderr)
  renameSync(temporary, executable)
}

function ggmlVersion(headers) {
  const text = readFileSync(join(headers, 'ggml', 'CMakeLists.txt'), 'utf8')
  return ['MAJOR', 'MINOR', 'PATCH'].map((part) => new RegExp(`GGML_VERSION_${part} (\\d+)`).exec(text)?.[1] ?? '').join('.')
}

function buildFromSource(executable, { command }, { blas, cuda }) {
  const source = checkOut('source', ['ggml', 'vendor/nlohmann'])
  const folder = join(out, `cmake${blas ? '-blas' : ''}${cuda ? '-cuda' : ''}`)
  const cmake = (...args) => {
    const { error, status } = spawnSync('cmake', args, { stdio: ['ignore', 2, 2] })
    if (error) throw new BuildError('NO_CMAKE', 'cmake was not found. Install cmake 3.18 or later (Debian: apt install cmake).')
    if (status !== 0)
      throw new BuildError('COMPILE_FAILED', `cmake failed (${args[0]}). What it printed says why; ${relative(root, folder)} keeps its work.`)
  }
  const flags = [`-DGGML_BLAS=${blas ? 'ON' : 'OFF'}`, '-DGGML_BLAS_VENDOR=OpenBLAS', `-DGGML_CUDA=${cuda ? 'ON' : 'OFF'}`]
  cmake('-S', native, '-B', folder, `-DCMAKE_CXX_COMPILER=${command}`, `-DLLAMA_SOURCE=${source}`, '-DCMAKE_BUILD_TYPE=Release', ...flags)
  cmake('--build', folder, '--config', 'Release', '--target', 'trainer')
  const made = [folder, join(folder, 'Release')].map((path) => join(path, process.platform === 'win32' ? 'trainer.exe' : 'trainer')).find(existsSync)
  if (!made) throw new BuildError('COMPILE_FAILED', 'cmake ended well, and there is no trainer. Report this.')
  renameSync(made, executable)
}

function main(args) {
  const options = {}
  let json = false
  for (let i = 0; i < args.length; i++) {
    const name = args[i].replace(/^--/, '')
    if (args[i] === '--help') return (process.stdout.write(help), 0)
    else if (args[i] === '--json') json = true
    else if (args[i] === '--package' && args[i + 1]) options.package = args[++i]
    else if (args[i].startsWith('--') && ['sanitize', 'source', 'blas', 'cuda'].includes(name)) options[name] = true
    else return (process.stderr.write(`“${args[i]}” is no option.\n\n${help}`), 2)
  }
  if ((options.blas || options.cuda) && !options.source) return (process.stderr.write(`--blas and --cuda need --source.\n\n${help}`), 2)
  try {
    const result = buildTrainer(options)
    const path = relative(root, result.executable)
    process.stdout.write(json ? JSON.stringify(result) + '\n' : `${path} ${result.built ? `built in ${result.seconds} s` : 'is up to date'}.\n`)
    return 0
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    if (json) process.stdout.write(JSON.stringify({ code: error.code, message: error.message }) + '\n')
    else process.stderr.write(error.message + '\n')
    return 1
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv.slice(2))
