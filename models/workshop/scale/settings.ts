// Owns the settings of training at scale: the versions it is written for, and every option of each stage as TRL, PEFT and DeepSpeed take them.

/** Released together and used together; another version may name an option otherwise. */
export const VERSIONS = {
  torch: '2.10.0',
  transformers: '4.57.6',
  trl: '1.1.0',
  peft: '0.18.1',
  accelerate: '1.13.0',
  datasets: '4.8.4',
  deepspeed: '0.18.6',
  'ray[train]': '2.49.0',
} as const

export interface Names {
  /** Of the hub, or folders. */
  readonly teacher: string
  readonly student: string
}
/** The 70B-class teacher and the 7B student: one vocabulary, which distillation needs. */
export const DEFAULT_NAMES: Names = { teacher: 'Qwen/Qwen2.5-72B-Instruct', student: 'Qwen/Qwen2.5-7B-Instruct' }
export const stages = ['teacher', 'student', 'distil'] as const
export type Stage = (typeof stages)[number]

/** As adapter_config.json will state it: what `import-peft` can bring back, scaled by α/√r. */
export const LORA = {
  r: 32,
  lora_alpha: 16,
  lora_dropout: 0,
  use_rslora: true,
  bias: 'none',
  task_type: 'CAUSAL_LM',
  target_modules: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
} as const

/** λ1, λ2, λ4 of formula 6: those of the starter. */
const LOSS = { ce: 0.5, kl: 0.5, entity: 0.1, temperature: 1 } as const
/** Longest pair with the marks of its turns, in tokens of a 150,000-token vocabulary; a longer one is an error, not cut. */
const MAX_LENGTH = 256

function argumentsOf(stage: Stage, seed: number) {
  return {
    output_dir: `out/${stage}`,
    deepspeed: 'config/deepspeed.json',
    max_length: MAX_LENGTH,
    // the passes of the data set are the epochs: each has other phrasings
    num_train_epochs: 1,
    per_device_train_batch_size: stage === 'student' ? 16 : 8,
    per_device_eval_batch_size: 8,
    gradient_accumulation_steps: 1,
    // rows of 256 tokens fit without it, and ZeRO-3 is faster so
    gradient_checkpointing: false,
    bf16: true,
    // formula 5 with one period: from the highest rate down to a twentieth of it
    learning_rate: stage === 'distil' ? 5e-5 : 1e-4,
    lr_scheduler_type: 'cosine_with_min_lr',
    lr_scheduler_kwargs: { min_lr_rate: 0.05 },
    warmup_ratio: 0.03,
    weight_decay: 0.01,
    adam_beta1: 0.9,
    adam_beta2: 0.98,
    max_grad_norm: 1,
    logging_steps: 10,
    eval_strategy: 'steps',
    eval_steps: 200,
    save_strategy: 'steps',
    save_steps: 200,
    save_total_limit: 2,
    report_to: 'none',
    seed,
    ...(stage === 'distil'
      ? {
          // on the answers of the data set, not on the student's own: a wrong dose is not to be continued
          lmbda: 0,
          // the divergence is that of losses.py; 0 is its form in GKD, KL(teacher ‖ student)
          beta: 0,
          temperature: LOSS.temperature,
          max_new_tokens: 120,
          seq_kd: false,
          disable_dropout: true,
        }
      : { completion_only_loss: true, packing: false }),
  }
}

/** The file of a stage, which train.py reads. */
export function stageConfig(stage: Stage, { teacher, student }: Names, seed: number): object {
  const given = argumentsOf(stage, seed)
  if (stage !== 'distil') return { model: stage === 'teacher' ? teacher : student, lora: LORA, arguments: given }
  return { student, teacher, studentAdapter: 'out/student', teacherAdapter: 'out/teacher', loss: LOSS, arguments: given }
}

/** ZeRO-3: weights, gradients and optimiser shared out over all GPUs; "auto" is filled in from the stage's own arguments. */
export const DEEPSPEED = {
  bf16: { enabled: 'auto' },
  zero_optimization: {
    stage: 3,
    overlap_comm: true,
    contiguous_gradients: true,
    reduce_bucket_size: 'auto',
    stage3_prefetch_bucket_size: 'auto',
    stage3_param_persistence_threshold: 'auto',
    stage3_gather_16bit_weights_on_model_save: true,
  },
  gradient_accumulation_steps: 'auto',
  gradient_clipping: 'auto',
  train_batch_size: 'auto',
  train_micro_batch_size_per_gpu: 'auto',
} as const

export const requirements = (): string =>
  Object.entries(VERSIONS)
    .map(([name, version]) => `${name}==${version}\n`)
    .join('')
