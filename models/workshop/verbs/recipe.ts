// Owns `recipe`: data set, configuration and scripts for training the 7B student from a 70B teacher on a cluster of GPUs.
import { basename } from 'node:path'
import { buildCorpus } from '../corpus/split.ts'
import { ownRecords } from '../eval/questions.ts'
import type { Row } from '../report.ts'
import { DEFAULT_NAMES, VERSIONS } from '../scale/settings.ts'
import { writeRecipe } from '../scale/write.ts'
import { optionNumber, optionText, WrongUse, type Verb, type VerbInput } from '../verb.ts'

const GPUS = 8
const PASSES = 3

export const recipeVerb: Verb = {
  name: 'recipe',
  about: 'data set and configuration for training at scale: PEFT and TRL under torchrun or Ray',
  usage: 'OUTDIR --engine trl [--teacher NAME] [--student NAME] [--passes N] [--gpus N]',
  positionals: [1, 1],
  options: {
    engine: { type: 'string' },
    teacher: { type: 'string' },
    student: { type: 'string' },
    passes: { type: 'string' },
    gpus: { type: 'string' },
    breadth: { type: 'string' },
    seed: { type: 'string' },
    force: { type: 'boolean', default: false },
  },
  help: `
  --engine trl          TRL ${VERSIONS.trl} with PEFT ${VERSIONS.peft}, DeepSpeed ZeRO-3, under torchrun or Ray Train
  --teacher NAME        of the hub, or a folder (default ${DEFAULT_NAMES.teacher})
  --student NAME        of the hub, or a folder (default ${DEFAULT_NAMES.student}); one vocabulary with the teacher
  --passes N            passes over the facts, each with other phrasings (default ${PASSES})
  --gpus N              in one machine, for the commands in the README (default ${GPUS})
  --breadth core|full   kinds of fact (default full)
  --seed N              of the corpus and of training (default 1)
  --force               replace files in OUTDIR

OUTDIR gets data/ (chat pairs with their key entities, held-out sets), config/ (a JSON file a stage), train.py, train_ray.py, losses.py,
requirements.txt and a README with every command, from the first to the file for the clinic: import-peft, merge, export.`,
  async run(input, context) {
    const folder = input.positionals[0]!
    const engine = optionText(input, 'engine')
    if (engine !== 'trl') throw new WrongUse(`--engine takes trl${engine === undefined ? ' and must be given' : `, not “${engine}”`}.`)
    const breadth = optionText(input, 'breadth') ?? 'full'
    if (breadth !== 'core' && breadth !== 'full') throw new WrongUse(`--breadth takes core or full, not “${breadth}”.`)
    const names = { teacher: nameOf(input, 'teacher'), student: nameOf(input, 'student') }
    const passes = optionNumber(input, 'passes', 1, 100) ?? PASSES
    const gpus = optionNumber(input, 'gpus', 1, 1024) ?? GPUS
    const corpus = buildCorpus(ownRecords(), { seed: optionNumber(input, 'seed', 0, 1_000_000) ?? 1, breadth })
    const written = await writeRecipe({ folder, corpus, passes, names, gpus, force: input.values['force'] === true }, context)
    return {
      ...{ name: 'recipe', targets: [] },
      rows: written.map(({ file, lines, bytes }): Row => ({ file, lines, MB: bytes / 1e6 })),
      notes: [
        `Written to ${basename(folder)}; its README has every command. No question of a held-out set is in the training set.`,
        'No clinician has reviewed the records. The stages need GPUs and were not run here.',
      ],
      detail: { ...names, versions: VERSIONS, facts: corpus.facts.length, passes },
    }
  },
}

function nameOf(input: VerbInput, role: 'teacher' | 'student'): string {
  const name = optionText(input, role) ?? DEFAULT_NAMES[role]
  if (!/^[^\s"'`$\\]{1,200}$/.test(name))
    throw new WrongUse(`--${role} takes the name of a model or the path of a folder without spaces and quotes, not “${name}”.`)
  return name
}
