"""The translator's training recipe in PyTorch: the same model, data, batches and schedule as `loop translate train`."""

import argparse
import json
import math
import random
import sys
import time

import torch
from tokenizers import Tokenizer
from torch import nn

PAD, BOS, EOS = 0, 1, 2


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", required=True, help="pairs to learn, source TAB target")
    parser.add_argument("--held-out", required=True, help="pairs to measure the loss on")
    parser.add_argument("--tokenizer", required=True, help="tokenizer.json of the run to compare with")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--d-model", type=int, default=192)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--feedforward", type=int, default=768)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--label-smoothing", type=float, default=0.1)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--warmup", type=int, default=1000)
    parser.add_argument("--max-length", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--log-every", type=int, default=100)
    parser.add_argument("--translations", help="greedy translations of the held-out sources go there")
    return parser.parse_args()


def sinusoids(length: int, size: int) -> torch.Tensor:
    position = torch.arange(length).unsqueeze(1)
    angle = position * torch.exp(torch.arange(0, size, 2) * (-math.log(10000.0) / size))
    return torch.stack([angle.sin(), angle.cos()], 2).reshape(length, size)


class Translator(nn.Module):
    def __init__(self, vocab: int, a: argparse.Namespace):
        super().__init__()
        self.embedding = nn.Embedding(vocab, a.d_model)
        self.transformer = nn.Transformer(
            a.d_model, a.heads, a.layers, a.layers, a.feedforward, a.dropout,
            batch_first=True, norm_first=True,
        )
        self.dropout = nn.Dropout(a.dropout)
        self.scale = math.sqrt(a.d_model)
        self.register_buffer("positions", sinusoids(a.max_length, a.d_model), persistent=False)
        nn.init.normal_(self.embedding.weight, std=a.d_model**-0.5)

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        return self.dropout(self.embedding(ids) * self.scale + self.positions[: ids.shape[1]])

    def forward(self, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        padding = source == PAD
        length = target.shape[1]
        future = torch.ones(length, length, dtype=torch.bool).triu(1)
        x = self.transformer(
            self.embed(source), self.embed(target), tgt_mask=future,
            src_key_padding_mask=padding, memory_key_padding_mask=padding, tgt_is_causal=True,
        )
        return x @ self.embedding.weight.T


def read(path: str, tokenizer: Tokenizer, limit: int | None) -> list[tuple[list[int], list[int]]]:
    with open(path, encoding="utf-8", newline="\n") as lines:
        pairs = [line.rstrip("\n").split("\t")[:2] for line in lines]
    sides = [
        [e.ids for e in tokenizer.encode_batch([p[i] for p in pairs], add_special_tokens=False)]
        for i in (0, 1)
    ]
    found = [(s + [EOS], [BOS, *t, EOS]) for s, t in zip(*sides)]
    return [(s, t) for s, t in found if limit is None or max(len(s), len(t) - 1) <= limit]


def batches(pairs: list, size: int, rng: random.Random):
    """Endless batches of like lengths: 100 of them are sorted together, longest targets first."""
    while True:
        order = list(range(len(pairs)))
        rng.shuffle(order)
        pool = size * 100
        for start in range(0, len(order), pool):
            part = sorted(order[start : start + pool], key=lambda i: -len(pairs[i][1]))
            cut = [part[i : i + size] for i in range(0, len(part), size)]
            rng.shuffle(cut)
            yield from ([pairs[i] for i in batch] for batch in cut)


def padded(rows: list[list[int]]) -> torch.Tensor:
    width = max(map(len, rows))
    return torch.tensor([row + [PAD] * (width - len(row)) for row in rows])


def tensors(batch: list) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    source = padded([s for s, _ in batch])
    target = padded([t for _, t in batch])
    return source, target[:, :-1], target[:, 1:]


@torch.inference_mode()
def held_out_loss(model: Translator, pairs: list, size: int) -> float:
    model.eval()
    total = count = 0
    for start in range(0, len(pairs), size):
        source, given, wanted = tensors(pairs[start : start + size])
        loss = nn.functional.cross_entropy(
            model(source, given).flatten(0, 1), wanted.flatten(), ignore_index=PAD, reduction="sum"
        )
        total += loss.item()
        count += (wanted != PAD).sum().item()
    model.train()
    return total / count


@torch.inference_mode()
def translate(model: Translator, sources: list[list[int]], limit: int) -> list[list[int]]:
    """Greedy; keys and values are computed anew for each token, so no measure of speed."""
    model.eval()
    found: list[list[int]] = []
    for start in range(0, len(sources), 64):
        rows = sources[start : start + 64]
        source = padded([row[:limit] for row in rows])
        target = torch.full((len(rows), 1), BOS)
        done = torch.zeros(len(rows), dtype=torch.bool)
        while target.shape[1] < limit and not done.all():
            best = model(source, target)[:, -1].argmax(-1)
            best[done] = PAD
            done |= best == EOS
            target = torch.cat([target, best[:, None]], 1)
        found += [[i for i in row if i not in (PAD, BOS, EOS)] for row in target.tolist()]
    return found


def main() -> None:
    a = parse()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    tokenizer = Tokenizer.from_file(a.tokenizer)
    train = read(a.train, tokenizer, a.max_length)
    held = read(a.held_out, tokenizer, None)
    model = Translator(tokenizer.get_vocab_size(), a)
    optimizer = torch.optim.Adam(model.parameters(), lr=a.lr, betas=(0.9, 0.98), eps=1e-9, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda i: min(i / a.warmup, max(0, a.steps - i) / (a.steps - a.warmup))
    )
    criterion = nn.CrossEntropyLoss(ignore_index=PAD, label_smoothing=a.label_smoothing)
    source = batches(train, a.batch_size, random.Random(a.seed))
    losses: list[float] = []
    busy = 0.0
    for step in range(1, a.steps + 1):
        begun = time.perf_counter()
        ids, given, wanted = tensors(next(source))
        optimizer.zero_grad(set_to_none=True)
        loss = criterion(model(ids, given).flatten(0, 1), wanted.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        busy += time.perf_counter() - begun
        if step % a.log_every == 0 or step == a.steps:
            mean = sum(losses) / len(losses)
            print(json.dumps({"step": step, "loss": mean, "seconds": busy}), flush=True)
            losses.clear()
    short = [(s, t) for s, t in held if max(len(s), len(t) - 1) <= a.max_length]
    print(json.dumps({"held_out_loss": held_out_loss(model, short, a.batch_size)}), flush=True)
    if a.translations:
        found = translate(model, [s for s, _ in held], a.max_length)
        with open(a.translations, "w", encoding="utf-8") as out:
            out.writelines(f"{line}\n" for line in tokenizer.decode_batch(found))


if __name__ == "__main__":
    sys.exit(main())
