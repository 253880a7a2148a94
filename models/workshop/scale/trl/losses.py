# Owns the loss of formula 6 as far as logits give it, and the batches that it needs. Nothing here but PyTorch.
#
#   L = ce * CE(y, P_S) + kl * T^2 * KL(P_T || P_S) + entity * (1/R) * sum over e of w_e * |P_S(e) - P_T(e)|
#
# R counts the tokens that are learned: the answer and the end of the turn. e runs over those of key entities.
import torch
import torch.nn.functional as F

IGNORED = -100


def formula6(student, teacher, labels, weights, *, ce, kl, entity, temperature):
    """
    Logits are [rows, length, vocabulary]; labels (IGNORED where nothing is learned) and entity weights (0 elsewhere) are
    [rows, length], all at the place of the token itself. Returns the loss and its parts as numbers.
    """
    labels, weights = labels[:, 1:], weights[:, 1:]
    learned = labels != IGNORED
    # what is not learned is dropped before anything as wide as the vocabulary is made of it
    student, teacher = student[:, :-1][learned].float(), teacher[:, :-1][learned].float()
    labels, weights = labels[learned], weights[learned].float()
    rows = max(1, labels.numel())
    log_student = F.log_softmax(student, dim=-1)
    cross_entropy = F.nll_loss(log_student, labels, reduction="sum") / rows
    soft_student = F.log_softmax(student / temperature, dim=-1)
    soft_teacher = F.log_softmax(teacher / temperature, dim=-1)
    divergence = temperature**2 * F.kl_div(soft_student, soft_teacher, log_target=True, reduction="sum") / rows
    own = log_student.gather(-1, labels[:, None]).squeeze(-1).exp()
    their = F.log_softmax(teacher, dim=-1).gather(-1, labels[:, None]).squeeze(-1).exp()
    entities = (weights * (own - their).abs()).sum() / rows
    loss = ce * cross_entropy + kl * divergence + entity * entities
    return loss, {"ce": cross_entropy.item(), "kl": divergence.item(), "entity": entities.item()}


class AnswerCollator:
    """
    Lines of the data set as a batch, padded on the left. Learned is the answer with the end of its turn; a token carries the
    greatest weight of the entities it is part of.
    """

    def __init__(self, tokenizer, longest):
        self.tokenizer = tokenizer
        self.longest = longest

    def __call__(self, lines):
        rows = [self.row(line) for line in lines]
        width = max(len(tokens) for tokens, _, _, _ in rows)

        def padded(part, value, kind):
            return torch.tensor([[value] * (width - len(row[part])) + row[part] for row in rows], dtype=kind)

        prompts = [tokens[:start] for tokens, _, _, start in rows]
        widest = max(len(prompt) for prompt in prompts)
        pad = self.tokenizer.pad_token_id
        return {
            "input_ids": padded(0, pad, torch.long),
            "attention_mask": torch.tensor([[0] * (width - len(row[0])) + [1] * len(row[0]) for row in rows]),
            "labels": padded(1, IGNORED, torch.long),
            "entity_weights": padded(2, 0.0, torch.float),
            # what GKD continues by itself where lmbda is above 0
            "prompts": torch.tensor([[pad] * (widest - len(prompt)) + prompt for prompt in prompts]),
            "prompt_attention_mask": torch.tensor([[0] * (widest - len(prompt)) + [1] * len(prompt) for prompt in prompts]),
        }

    def row(self, line):
        """Tokens, labels, weights, and where the answer begins."""
        chat = self.tokenizer.apply_chat_template
        prompt = chat(line["messages"][:-1], tokenize=False, add_generation_prompt=True)
        whole = chat(line["messages"], tokenize=False, add_generation_prompt=False)
        if not whole.startswith(prompt):
            raise ValueError("the chat template does not begin an answered turn as it begins one to be answered")
        encoded = self.tokenizer(whole, add_special_tokens=False, return_offsets_mapping=True)
        tokens, places = encoded["input_ids"], encoded["offset_mapping"]
        if len(tokens) > self.longest:
            raise ValueError(f"a line has {len(tokens)} tokens, more than max_length {self.longest}: {line['fact']}")
        start = next(n for n, (begin, _) in enumerate(places) if begin >= len(prompt))
        labels = [IGNORED] * start + tokens[start:]
        weights = [0.0] * len(tokens)
        for begin, end, weight in line["entities"]:
            for n in range(start, len(tokens)):
                left, right = places[n]
                if left < len(prompt) + end and right > len(prompt) + begin:
                    weights[n] = max(weights[n], weight)
        return tokens, labels, weights, start
