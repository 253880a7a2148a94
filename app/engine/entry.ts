// Owns the engine process: serves the engine contract to the process that started it, under fork and under Electron alike, and ends with it.
import { engineContract } from '../contract/engine.ts'
import { failure } from '../base/log.ts'
import { servePort } from '../base/port-server.ts'
import { Router } from '../base/router.ts'
import { createEngine } from './engine.ts'
import { endWithHost, parentPort } from './parent-port.ts'

process.title = 'rushlight-engine'
endWithHost()
const report = (name: string, error: unknown) => void process.stderr.write(`${name} ${JSON.stringify(failure(error))}\n`)
servePort(new Router(engineContract, createEngine(), report), parentPort())
