"""The PyTorch side of the benchmarks: trains one workload and answers with milliseconds per step.

Speaks the protocol of bench/README.md: one JSON message a line on standard input and output.
"""

import json
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

SEED_STEP = 0x9E3779B1


def uniform01(start, count, seed):
    """Values in [0, 1): murmur3's finaliser over a counter, equal bit for bit to bench/fixed-data.ts."""
    h = np.arange(start, start + count, dtype=np.uint32) + np.uint32(seed * SEED_STEP & 0xFFFFFFFF)
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    h *= np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    return h / 4294967296.0


def fill(tensor, seed, bound, shift):
    """Fills in small pieces, so that the peak memory measured is the training step's."""
    flat = tensor.detach().view(-1)
    for start in range(0, flat.numel(), 65536):
        count = min(65536, flat.numel() - start)
        values = (2 * uniform01(start, count, seed) - 1) * bound + shift
        flat[start : start + count] = torch.from_numpy(values.astype(np.float32))


def integers(seed, count, limit):
    return torch.from_numpy((uniform01(0, count, seed) * limit).astype(np.int64))


def floats(seed, shape, bound=1.0, shift=0.0):
    out = torch.empty(shape)
    fill(out, seed, bound, shift)
    return out


class Mlp(nn.Module):
    def __init__(self, w):
        super().__init__()
        sizes = w["sizes"]
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in zip(sizes, sizes[1:]))

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)


class WrittenAttention(nn.Module):
    """Self-attention with nn.MultiheadAttention's parameter names, written out by hand."""

    def __init__(self, d, heads, fused):
        super().__init__()
        self.heads = heads
        self.fused = fused
        self.in_proj_weight = nn.Parameter(torch.empty(3 * d, d))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * d))
        self.out_proj = nn.Linear(d, d)

    def forward(self, x):
        b, t, d = x.shape
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = qkv.view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        if self.fused:
            y = F.scaled_dot_product_attention(q, k, v)
        else:
            y = torch.softmax((q * (d // self.heads) ** -0.5) @ k.transpose(-1, -2), -1) @ v
        return self.out_proj(y.transpose(1, 2).reshape(b, t, d))


class WrittenLayer(nn.Module):
    def __init__(self, d, heads, ff, fused):
        super().__init__()
        self.self_attn = WrittenAttention(d, heads, fused)
        self.linear1 = nn.Linear(d, ff)
        self.linear2 = nn.Linear(ff, d)
        self.norm1 = nn.LayerNorm(d)
        self.norm2 = nn.LayerNorm(d)

    def forward(self, x):
        x = self.norm1(x + self.self_attn(x))
        return self.norm2(x + self.linear2(F.gelu(self.linear1(x))))


class Layers(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class Encoder(nn.Module):
    def __init__(self, w, attention):
        super().__init__()
        d, heads, ff = w["dModel"], w["heads"], w["feedforward"]
        self.token = nn.Embedding(w["vocabulary"], d)
        self.position = nn.Embedding(w["length"], d)
        if attention == "nn":
            make = lambda: nn.TransformerEncoderLayer(
                d, heads, ff, dropout=0.0, activation="gelu", batch_first=True
            )
        else:
            make = lambda: WrittenLayer(d, heads, ff, attention == "sdpa")
        self.encoder = Layers([make() for _ in range(w["layers"])])
        self.classifier = nn.Linear(d, w["labels"])

    def forward(self, ids):
        x = self.token(ids) + self.position.weight
        return self.classifier(self.encoder(x)).view(-1, self.classifier.out_features)


class LeNet(nn.Module):
    def __init__(self, w):
        super().__init__()
        channels = [w["example"][0], *w["channels"]]
        sizes = w["sizes"]
        pairs = zip(channels, channels[1:], (2, 0))
        self.conv = nn.ModuleList(nn.Conv2d(i, o, 5, padding=p) for i, o, p in pairs)
        self.linear = nn.ModuleList(nn.Linear(i, o) for i, o in zip(sizes, sizes[1:]))

    def forward(self, x):
        for layer in self.conv:
            x = F.max_pool2d(F.relu(layer(x)), 2)
        x = x.flatten(1)
        for layer in self.linear[:-1]:
            x = F.relu(layer(x))
        return self.linear[-1](x)


class Lstm(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.lstm = nn.LSTM(w["example"][1], w["hidden"], batch_first=True)
        self.head = nn.Linear(w["hidden"], w["labels"])

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


def training(w, o):
    """A function that does one step (forward, backward, update) and returns the loss."""
    if w["kind"] != "encoder":
        model = {"mlp": Mlp, "conv": LeNet, "lstm": Lstm}[w["kind"]](w)
        example = w["example"] if "example" in w else w["sizes"][:1]
        half = floats(w["inputSeed"], (w["batch"] // 2, *example))
        x = torch.cat([half, half])
        target = integers(w["targetSeed"], w["batch"], w["labels"] if "labels" in w else w["sizes"][-1])
        make = torch.optim.Adam
        decay = 0.0
    else:
        model = Encoder(w, o["attention"])
        rows = w["batch"] // 2
        ids = integers(w["inputSeed"], rows * w["length"], w["vocabulary"])
        x = ids.view(rows, w["length"]).repeat(2, 1)
        target = integers(w["targetSeed"], w["batch"] * w["length"], w["labels"])
        make = torch.optim.AdamW
        decay = w["weightDecay"]
    named = dict(model.named_parameters())
    for p in w["parameters"]:
        fill(named.pop(p["name"]), p["seed"], p["bound"], p["shift"])
    if named:
        raise ValueError(f"parameters without a starting value: {sorted(named)}")
    if o.get("channelsLast"):
        model = model.to(memory_format=torch.channels_last)
        x = x.to(memory_format=torch.channels_last)
    torch.backends.mkldnn.set_flags(o.get("onednn", True))
    kind = o["optimizer"]
    optimizer = make(
        model.parameters(),
        lr=w["learningRate"],
        weight_decay=decay,
        fused=kind == "fused",
        foreach=kind == "foreach",
    )
    forward = lambda x, target: F.cross_entropy(model(x), target)
    if o["compile"] != "no":
        forward = torch.compile(forward, mode=None if o["compile"] == "default" else o["compile"])
    to_none = o["setToNone"]

    def step():
        loss = forward(x, target)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=to_none)
        return loss.item()

    return step


def chain(x):
    """Twenty elementwise operations: GELU, a highway gate, softplus, mish, by hand."""
    gelu = x * ((torch.erf(x * 0.5**0.5) + 1) * 0.5)
    gate = torch.sigmoid(x * 1.5 + 0.25)
    mixed = gelu * gate + x * (-gate + 1)
    softplus = torch.log1p(torch.exp(mixed))
    mish = torch.tanh(softplus) * mixed
    return mish * mish + torch.sqrt(softplus)


def gradient(w, o):
    """A function that leaves gradients in leaves, and what those are."""
    rows, columns = w["shape"]
    leaf = lambda *args: floats(*args).requires_grad_()
    x = leaf(w["inputSeed"], (rows, columns), 4.0)
    weight = leaf(w["inputSeed"] + 2, columns, 0.5, 1.0)
    bias = leaf(w["inputSeed"] + 3, columns, 0.5)
    target = integers(w["targetSeed"], rows, columns)
    of = w["of"]
    leaves = [x, weight, bias] if of == "layernorm" else [x]
    forward = {
        "chain": lambda: chain(x).sum(),
        "cross-entropy": lambda: F.cross_entropy(x, target),
        "softmax": lambda: torch.softmax(x, -1),
        "layernorm": lambda: F.layer_norm(x, (columns,), weight, bias),
    }[of]
    if o["compile"] != "no":
        forward = torch.compile(forward, mode=None if o["compile"] == "default" else o["compile"])
    scalar = of in ("chain", "cross-entropy")
    dy = None if scalar else floats(w["targetSeed"], (rows, columns))

    def step():
        for tensor in leaves:
            tensor.grad = None
        y = forward()
        y.backward(dy)
        return y.item() if scalar else x.grad[0, 0].item()

    return step, lambda: [tensor.grad for tensor in leaves]


def optimizer(w, o):
    """A function that does one update with gradients that are given, and the parameters."""
    parameters = []
    for i, p in enumerate(w["parameters"]):
        parameter = floats(p["seed"], p["shape"], p["bound"], p["shift"]).requires_grad_()
        parameter.grad = floats(1000 + i, p["shape"], 1e-2)
        parameters.append(parameter)
    kind = o["optimizer"]
    adamw = torch.optim.AdamW(
        parameters,
        lr=w["learningRate"],
        weight_decay=w["weightDecay"],
        fused=kind == "fused",
        foreach=kind == "foreach",
    )
    update = adamw.step
    if o["compile"] != "no":
        update = torch.compile(update, mode=None if o["compile"] == "default" else o["compile"])
    first = (0,) * parameters[0].dim()

    def step():
        update()
        return parameters[0].detach()[first].item()

    return step, lambda: parameters


def dispatch(w, o):
    b = floats(w["targetSeed"], (w["size"], w["size"]))
    count = 0

    def step():
        nonlocal count
        count += 1
        x = torch.full((w["size"], w["size"]), float(count % 7))
        for _ in range(w["additions"]):
            x = x + b
        return x.sum().item()

    return step


def matmul(w, o):
    a = floats(w["inputSeed"], (w["size"], w["size"]))
    b = floats(w["targetSeed"], (w["size"], w["size"]))
    c = torch.empty_like(a)

    def step():
        return torch.mm(a, b, out=c)[0, 0].item() if o["out"] else torch.mm(a, b)[0, 0].item()

    return step


def sampled(tensor):
    """About a thousand elements, evenly spread."""
    flat = tensor.detach().reshape(-1)
    return flat[:: -(-flat.numel() // 1000)].tolist()


def prepare(w, o):
    """A function that does one step, and one that gives the tensors to compare."""
    torch.set_num_threads(o["threads"])
    if w["kind"] == "gradient":
        return gradient(w, o)
    if w["kind"] == "optimizer":
        return optimizer(w, o)
    if w["kind"] == "decode":
        return decoding.decode(w, o)
    if w["kind"] == "dispatch":
        return torch.no_grad()(dispatch(w, o)), list
    if w["kind"] == "matmul":
        return torch.no_grad()(matmul(w, o)), list
    return training(w, o), list


def choices(w):
    """The settings that could matter, the likely best first."""
    if w["kind"] == "decode":
        return decoding.choices()
    if w["kind"] == "dispatch":
        return {"threads": [1, 2]}
    if w["kind"] == "matmul":
        return {"threads": [2, 1], "out": [True, False]}
    if w["kind"] == "gradient":
        return {"threads": [2, 1], "compile": ["no"]}
    if w["kind"] == "optimizer":
        return {"threads": [2, 1], "optimizer": ["fused", "foreach", "plain"], "compile": ["no"]}
    options = {
        "threads": [2, 1],
        "optimizer": ["fused", "foreach", "plain"],
        "setToNone": [True, False],
        "compile": ["no"],
    }
    if w["kind"] == "encoder":
        options["attention"] = ["sdpa", "nn", "math"]
    if w["kind"] == "conv":
        options["channelsLast"] = [False, True]
    if w["kind"] in ("conv", "lstm"):
        options["onednn"] = [True, False]
    return options


def quickest(w, o, turns=3, seconds=0.25):
    """The best of a few short turns, in milliseconds per step."""
    step, _ = prepare(w, o)
    for _ in range(3):
        step()
    best = float("inf")
    for _ in range(turns):
        start, done = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            step()
            done += 1
        best = min(best, (time.perf_counter() - start) / done * 1e3)
    return best


def probe(w, fixed):
    """Changes one setting at a time and keeps what is faster, until nothing is."""
    options = {name: [fixed[name]] if name in fixed else values for name, values in choices(w).items()}
    best = {name: values[0] for name, values in options.items()}
    tried = {}

    def measure(o):
        key = json.dumps(o, sort_keys=True)
        if key not in tried:
            tried[key] = quickest(w, o)
        return tried[key]

    improved = True
    while improved:
        improved = False
        for name, values in options.items():
            found = min(values, key=lambda value: measure({**best, name: value}))
            if found != best[name]:
                best, improved = {**best, name: found}, True
    return {"options": best, "ms": measure(best), "tried": tried}


def version():
    return f"{torch.__version__}"


def main():
    step = None
    for line in sys.stdin:
        message = json.loads(line)
        op = message["op"]
        if op == "hello":
            reply = {"version": version()}
        elif op == "probe":
            reply = probe(message["workload"], message.get("options", {}))
        elif op == "setup":
            start = time.perf_counter()
            step, tensors = prepare(message["workload"], message["options"])
            called = time.perf_counter()
            losses = [step()]
            first = time.perf_counter()
            losses += [step() for _ in range(message["steps"] - 1)]
            reply = {
                "version": version(),
                "losses": losses,
                "firstMs": (first - called) * 1e3,
                "setupMs": (called - start) * 1e3,
                "sample": [sampled(tensor) for tensor in tensors()],
            }
        elif op == "run":
            start = time.perf_counter()
            for _ in range(message["steps"]):
                loss = step()
            reply = {"ms": (time.perf_counter() - start) / message["steps"] * 1e3, "loss": loss}
        else:
            raise ValueError(f"unknown message {op!r}")
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    import decode as decoding

    torch.set_flush_denormal(True)
    main()
