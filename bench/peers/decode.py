"""Decoding in PyTorch, eager: an encoder-decoder Transformer with keys and values kept between steps, greedy and beams."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from pytorch import fill, integers


class Attention(nn.Module):
    """nn.MultiheadAttention's parameters."""

    def __init__(self, d):
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.empty(3 * d, d))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * d))
        self.out_proj = nn.Linear(d, d)


class Layer(nn.Module):
    def __init__(self, d, ff, across):
        super().__init__()
        self.self_attn = Attention(d)
        if across:
            self.multihead_attn = Attention(d)
            self.norm3 = nn.LayerNorm(d)
        self.linear1 = nn.Linear(d, ff)
        self.linear2 = nn.Linear(ff, d)
        self.norm1 = nn.LayerNorm(d)
        self.norm2 = nn.LayerNorm(d)

    def feed(self, x):
        return self.linear2(F.relu(self.linear1(x)))


class Stack(nn.Module):
    def __init__(self, layers, d, ff, across):
        super().__init__()
        self.layers = nn.ModuleList(Layer(d, ff, across) for _ in range(layers))
        self.norm = nn.LayerNorm(d)


class Transformer(nn.Module):
    def __init__(self, w):
        super().__init__()
        d, ff = w["dModel"], w["feedforward"]
        self.encoder = Stack(w["layers"], d, ff, False)
        self.decoder = Stack(w["layers"], d, ff, True)


def sinusoids(length, d):
    angles = torch.arange(length)[:, None] * 10000 ** (-torch.arange(0, d, 2) / d)
    return torch.stack((angles.sin(), angles.cos()), -1).view(length, d)


class Model(nn.Module):
    def __init__(self, w, o):
        super().__init__()
        self.w, self.d, self.heads = w, w["dModel"], w["heads"]
        self.embedding = nn.Embedding(w["vocabulary"], self.d)
        self.transformer = Transformer(w)
        self.register_buffer("positions", sinusoids(128, self.d), persistent=False)
        self.fused = o["attention"] == "sdpa"
        self.cat = o["cache"] == "cat"

    def attend(self, q, k, v, mask=None):
        if self.fused:
            return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        scores = q @ k.transpose(-1, -2) * (self.d // self.heads) ** -0.5
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        return torch.softmax(scores, -1) @ v

    def split(self, x, rows):
        """[..., D] of `rows` samples -> [rows, H, length, d]."""
        return x.view(rows, -1, self.heads, self.d // self.heads).transpose(1, 2)

    def join(self, x, like):
        return x.transpose(1, 2).reshape(like)

    def encode(self, source):
        rows, length = source.shape
        mask = (source != self.w["padId"])[:, None, None, :]
        x = self.embedding(source) * math.sqrt(self.d) + self.positions[:length]
        for layer in self.transformer.encoder.layers:
            a = layer.self_attn
            q, k, v = F.linear(x, a.in_proj_weight, a.in_proj_bias).chunk(3, -1)
            y = self.attend(*(self.split(part, rows) for part in (q, k, v)), mask)
            x = layer.norm1(x + a.out_proj(self.join(y, x.shape)))
            x = layer.norm2(x + layer.feed(x))
        memory = self.transformer.encoder.norm(x)
        projected = []
        for layer in self.transformer.decoder.layers:
            a = layer.multihead_attn
            k, v = F.linear(memory, a.in_proj_weight[self.d :], a.in_proj_bias[self.d :]).chunk(2, -1)
            projected.append((self.split(k, rows).contiguous(), self.split(v, rows).contiguous()))
        return projected, mask

    def empty(self, rows):
        shape = (rows, self.heads, 0 if self.cat else self.w["generated"], self.d // self.heads)
        return [[torch.empty(shape), torch.empty(shape)] for _ in self.transformer.decoder.layers]

    def remember(self, cache, i, new, t):
        if self.cat:
            cache[i] = torch.cat((cache[i], new), 2)
            return cache[i]
        cache[i][:, :, t] = new[:, :, 0]
        return cache[i][:, :, : t + 1]

    def reorder(self, caches, rows, t):
        for cache in caches:
            for i in (0, 1):
                if self.cat:
                    cache[i] = cache[i].index_select(0, rows)
                else:
                    cache[i][:, :, : t + 1] = cache[i][:, :, : t + 1].index_select(0, rows)

    def step(self, ids, t, caches, memory, mask):
        """ids [B, K] -> logits [B*K, V]; the K hypotheses of a sample share its memory."""
        samples, beams = ids.shape
        rows = samples * beams
        x = self.embedding(ids.view(-1)) * math.sqrt(self.d) + self.positions[t]
        for layer, cache, (key, value) in zip(self.transformer.decoder.layers, caches, memory):
            a = layer.self_attn
            q, k, v = F.linear(x, a.in_proj_weight, a.in_proj_bias).chunk(3, -1)
            k = self.remember(cache, 0, self.split(k, rows), t)
            v = self.remember(cache, 1, self.split(v, rows), t)
            y = self.attend(self.split(q, rows), k, v)
            x = layer.norm1(x + a.out_proj(y.reshape(x.shape)))
            a = layer.multihead_attn
            q = F.linear(x, a.in_proj_weight[: self.d], a.in_proj_bias[: self.d])
            y = self.attend(self.split(q, samples), key, value, mask)
            x = layer.norm2(x + a.out_proj(self.join(y, x.shape)))
            x = layer.norm3(x + layer.feed(x))
        return F.linear(self.transformer.decoder.norm(x), self.embedding.weight)


def sources(w):
    """Ids of lengths from `shortest` to `longest`, filled up with padId; 0, 1 and 2 are padding, start and end."""
    count, longest = w["batch"], w["longest"]
    ids = integers(w["inputSeed"], count * longest, w["vocabulary"] - 3).view(count, longest) + 3
    lengths = integers(w["targetSeed"], count, longest - w["shortest"] + 1) + w["shortest"]
    lengths[0] = longest
    return torch.where(torch.arange(longest) < lengths[:, None], ids, w["padId"])


def greedy(model, w, source):
    memory, mask = model.encode(source)
    caches = model.empty(len(source))
    ids = torch.full((len(source), 1), w["bosId"])
    scores = torch.zeros(len(source), 1)
    chosen = []
    for t in range(w["generated"]):
        logits = model.step(ids, t, caches, memory, mask)
        logits[:, [w["padId"], w["eosId"]]] = -1e30
        best, ids = logits.max(-1, keepdim=True)
        scores += best - logits.logsumexp(-1, keepdim=True)
        chosen.append(ids)
        (ids == w["eosId"]).all().item()
    return torch.cat(chosen, 1), scores[:, 0] / w["generated"]


def beam(model, w, source):
    """As transformers' generate, without what happens at ends: none comes, but is looked for."""
    samples, beams = len(source), w["beams"]
    memory, mask = model.encode(source)
    caches = model.empty(samples * beams)
    ids = torch.full((samples, beams), w["bosId"])
    scores = torch.zeros(samples, beams)
    scores[:, 1:] = -1e9
    chosen = torch.empty((samples, beams, 0), dtype=torch.int64)
    first = torch.arange(samples)[:, None] * beams
    for t in range(w["generated"]):
        logits = model.step(ids, t, caches, memory, mask)
        logits[:, [w["padId"], w["eosId"]]] = -1e30
        total = F.log_softmax(logits, -1).view(samples, beams, -1) + scores[:, :, None]
        found, index = total.view(samples, -1).topk(2 * beams)
        parents, tokens = index // w["vocabulary"], index % w["vocabulary"]
        ends = tokens == w["eosId"]
        ends.any().item()
        scores, order = (found - 1e9 * ends).topk(beams)
        ids, parents = tokens.gather(1, order), parents.gather(1, order)
        rows = (first + parents).view(-1)
        chosen = torch.cat((chosen.view(samples * beams, -1).index_select(0, rows).view(samples, beams, -1), ids[:, :, None]), 2)
        model.reorder(caches, rows, t)
    return chosen[:, 0], scores[:, 0] / w["generated"]


def decode(w, o):
    """A function that generates for one batch and returns the mean score, and one that returns all scores."""
    model = Model(w, o).eval()
    named = dict(model.named_parameters())
    for p in w["parameters"]:
        fill(named.pop(p["name"]), p["seed"], p["bound"], p["shift"])
    if named:
        raise ValueError(f"parameters without a starting value: {sorted(named)}")
    source = sources(w)
    found = None

    @torch.inference_mode()
    def step():
        nonlocal found
        _, found = (greedy if w["beams"] == 1 else beam)(model, w, source)
        return found.mean().item()

    return step, lambda: [found]


def choices():
    return {"threads": [2, 1], "cache": ["kept", "cat"], "attention": ["sdpa", "math"]}
