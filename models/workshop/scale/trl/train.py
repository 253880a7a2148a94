# Owns the training at scale: one stage of three, from its JSON file, with PEFT and TRL under torchrun or Ray.
#
#   torchrun --nproc-per-node GPUS train.py teacher|student|distil
#
# teacher  supervised fine-tuning of an adapter for the teacher: it learns the facts that it shall teach
# student  supervised fine-tuning of an adapter for the student
# distil   that adapter goes on, distilled from the teacher (formula 6)
import json
import os
import pathlib
import sys

import torch
from datasets import load_dataset
from peft import LoraConfig, PeftModel
from torch.utils.data import SequentialSampler
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from transformers.trainer_utils import get_last_checkpoint
from trl import SFTConfig, SFTTrainer
from trl.experimental.gkd import GKDConfig, GKDTrainer

from losses import AnswerCollator, formula6

HERE = pathlib.Path(__file__).resolve().parent
STAGES = ("teacher", "student", "distil")


class InOrder:
    """The lines of the data set stand in the order of learning: simple before complex, basic before specialised."""

    def _get_train_sampler(self, *given):
        return SequentialSampler(given[0] if given and given[0] is not None else self.train_dataset)


class SupervisedTrainer(InOrder, SFTTrainer):
    pass


class DistillingTrainer(InOrder, GKDTrainer):
    """GKD's teacher and its way of training, with the loss of formula 6 instead of its divergence alone."""

    terms = None

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        texts = {name: inputs[name] for name in ("input_ids", "attention_mask")}
        outputs = model(**texts)
        self.teacher_model.eval()
        with torch.no_grad():
            taught = self.teacher_model(**texts)
        loss, _ = formula6(outputs.logits, taught.logits, inputs["labels"], inputs["entity_weights"], **self.terms)
        return (loss, outputs) if return_outputs else loss


def existing(folder, stage):
    if not (folder / "adapter_config.json").exists():
        raise SystemExit(f"{folder} holds no adapter. Run the stage “{stage}” first.")
    return str(folder)


def load(name, **options):
    return AutoModelForCausalLM.from_pretrained(name, dtype=torch.bfloat16, **options)


def tokenizer_of(name, side):
    tokenizer = AutoTokenizer.from_pretrained(name, padding_side=side)
    # the bare form in which Rushlight evaluates: no system turn that the model's own template would put in
    tokenizer.chat_template = (HERE / "chat_template.jinja").read_text(encoding="utf-8")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def lines_of(part):
    return load_dataset("json", data_files=str(HERE / "data" / f"{part}.jsonl"), split="train")


def prompt_completion(line):
    return {"prompt": line["messages"][:-1], "completion": line["messages"][-1:]}


def supervised(settings, arguments):
    tokenizer = tokenizer_of(settings["model"], "right")
    train, validation = (
        lines.map(prompt_completion, remove_columns=lines.column_names) for lines in (lines_of("train"), lines_of("validation"))
    )
    return SupervisedTrainer(
        model=load(settings["model"]),
        args=arguments,
        train_dataset=train,
        eval_dataset=validation,
        processing_class=tokenizer,
        peft_config=LoraConfig(**settings["lora"]),
    )


def distilling(settings, arguments):
    sizes = [AutoConfig.from_pretrained(settings[role]).vocab_size for role in ("student", "teacher")]
    if sizes[0] != sizes[1]:
        raise SystemExit(f"Student and teacher must share their vocabulary; they have {sizes[0]} and {sizes[1]} tokens.")
    tokenizer = tokenizer_of(settings["student"], "left")
    teacher = load(settings["teacher"])
    if settings["teacherAdapter"] is not None:
        teacher = PeftModel.from_pretrained(teacher, existing(HERE / settings["teacherAdapter"], "teacher"))
    student = PeftModel.from_pretrained(
        load(settings["student"]), existing(HERE / settings["studentAdapter"], "student"), is_trainable=True
    )
    trainer = DistillingTrainer(
        model=student,
        teacher_model=teacher,
        args=arguments,
        train_dataset=lines_of("train"),
        eval_dataset=lines_of("validation"),
        processing_class=tokenizer,
        data_collator=AnswerCollator(tokenizer, arguments.max_length),
    )
    trainer.terms = settings["loss"]
    return trainer


def main(stage, prepare=lambda trainer: trainer):
    """Runs a stage to its end, from its last checkpoint where there is one. `prepare` is what Ray does to a trainer."""
    settings = json.loads((HERE / "config" / f"{stage}.json").read_text(encoding="utf-8"))
    given = dict(settings["arguments"])
    given["output_dir"] = str(HERE / given["output_dir"])
    given["deepspeed"] = str(HERE / given["deepspeed"])
    # before any model is loaded: DeepSpeed must know by then that weights are to be shared out
    arguments = (GKDConfig if stage == "distil" else SFTConfig)(**given)
    trainer = prepare(distilling(settings, arguments) if stage == "distil" else supervised(settings, arguments))
    last = get_last_checkpoint(given["output_dir"]) if os.path.isdir(given["output_dir"]) else None
    trainer.train(resume_from_checkpoint=last)
    trainer.save_model(given["output_dir"])


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in STAGES:
        raise SystemExit(f"Use: torchrun --nproc-per-node GPUS train.py {'|'.join(STAGES)}")
    main(sys.argv[1])
