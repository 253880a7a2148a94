// Owns a host that can be killed: starts an engine, tells its process id and waits.
import { resolvePaths } from '../../app/base/paths.ts'
import { spawnNodeEngine } from '../../app/host/engine-spawn-node.ts'

const child = spawnNodeEngine(resolvePaths().engineEntry)
// the first answer shows that the engine is up and listens
child.port.listen(() => process.send!(child.pid))
child.port.post({ id: 1, op: 'call', name: 'engine.unload', input: null })
setInterval(() => {}, 1000)
