// Owns whether this machine can build the trainer, for tests that need it: null, or why not.
import { AppError } from '../../../app/contract/errors.ts'
import { builtTrainer, SHIPPED } from '../../../models/workshop/train/trainer.ts'

export async function trainerMissing(): Promise<string | null> {
  try {
    await builtTrainer(SHIPPED)
    return null
  } catch (error) {
    // a trainer that does not compile is a fault to be seen
    if (error instanceof AppError && error.code === 'LIBRARY_MISSING') return error.message
    throw error
  }
}
