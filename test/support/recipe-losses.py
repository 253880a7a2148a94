# Owns the run of a recipe's losses.py on small numbers, for the test that knows what must come out: one JSON object on standard output.
import json
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import torch

from losses import AnswerCollator, formula6


class Letters:
    """A tokenizer whose tokens are pairs of letters."""

    pad_token_id = 0

    def apply_chat_template(self, messages, tokenize, add_generation_prompt):
        assert tokenize is False
        turns = "".join(f"<{m['role'][0]}>{m['content']}</>\n" for m in messages)
        return turns + ("<a>" if add_generation_prompt else "")

    def __call__(self, text, add_special_tokens, return_offsets_mapping):
        assert add_special_tokens is False and return_offsets_mapping is True
        places = [(n, min(n + 2, len(text))) for n in range(0, len(text), 2)]
        return {"input_ids": [1 + sum(map(ord, text[a:b])) % 40 for a, b in places], "offset_mapping": places}


lines = json.loads(sys.argv[2])
collator = AnswerCollator(Letters(), 200)
batch = collator(lines)
torch.manual_seed(3)
student = torch.randn(*batch["input_ids"].shape, 41, requires_grad=True)
teacher = 2 * torch.randn(*batch["input_ids"].shape, 41)
terms = {"ce": 0.5, "kl": 0.7, "entity": 0.3, "temperature": 1.5}
loss, parts = formula6(student, teacher, batch["labels"], batch["entity_weights"], **terms)
loss.backward()
try:
    AnswerCollator(Letters(), 3)(lines)
    refused = None
except ValueError as error:
    refused = str(error)
print(
    json.dumps(
        {
            **{name: value.tolist() for name, value in batch.items()},
            "student": student.tolist(),
            "teacher": teacher.tolist(),
            "terms": terms,
            "loss": loss.item(),
            "parts": parts,
            "gradient": student.grad.tolist(),
            "refused": refused,
        }
    )
)
