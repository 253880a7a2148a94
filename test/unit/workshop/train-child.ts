// Owns a run of `train` in a process of its own, which a test can kill: OUTDIR PLAN [--resume].
import { Progress } from '../../../models/workshop/progress.ts'
import { readPlan } from '../../../models/workshop/train/plan.ts'
import { trainAll } from '../../../models/workshop/train/run.ts'

const [folder, plan, resume] = process.argv.slice(2)
const request = { plan: readPlan(plan!), folder: folder!, resume: resume === '--resume', only: [], minutes: null }
await trainAll(request, { signal: new AbortController().signal, progress: new Progress(null) })
