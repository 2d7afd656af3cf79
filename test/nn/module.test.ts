/** Module: state dicts and what loading reports, shared parameters, buffers, modes, names and orders. */
import { describe, expect, test } from "vitest";
import { compile, noGrad, ones, tensor, zeros, type Tensor } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";

class Net extends nn.Module {
  readonly first = new nn.Linear(2, 3);
  readonly blocks = [new nn.Linear(3, 3, { bias: false }), new nn.LayerNorm(3)];
  readonly scale = new nn.Parameter(ones([3]));
  readonly count: Tensor;
  readonly scratch: Tensor;

  constructor() {
    super();
    this.count = this.registerBuffer("count", zeros([], { dtype: "int32" }));
    this.scratch = this.registerBuffer("scratch", zeros([2]), { persistent: false });
  }

  forward(x: Tensor): Tensor {
    return this.blocks
      .reduce((y, block) => block.forward(y), this.first.forward(x))
      .mul(this.scale);
  }
}

// PyTorch: a module's own parameters and buffers come before its children's.
const KEYS = [
  "scale",
  "count",
  "first.weight",
  "first.bias",
  "blocks.0.weight",
  "blocks.1.weight",
  "blocks.1.bias",
];

const numbers = async (t: Tensor): Promise<number[]> => Array.from(await t.data(), Number);

describe("names", () => {
  test("are PyTorch's, in its order", () => {
    const net = new Net();
    expect(Object.keys(net.stateDict())).toEqual(KEYS);
    const parameters = Array.from(net.namedParameters(), ([name]) => name);
    expect(parameters).toEqual(KEYS.filter((key) => key !== "count"));
    expect(net.parameters()).toHaveLength(6);
    expect(Array.from(net.namedBuffers(), ([name]) => name)).toEqual(["count", "scratch"]);
    const modules = Array.from(net.namedModules(), ([name]) => name);
    expect(modules).toEqual(["", "first", "blocks.0", "blocks.1"]);
  });
});

describe("stateDict", () => {
  test("is a snapshot that later training does not change", async () => {
    const net = new nn.Linear(2, 1);
    const before = await numbers(net.weight);
    const state = net.stateDict();
    const step = compile(() => {
      net
        .forward(ones([2]))
        .sum()
        .backward();
      new SGD(net.parameters(), { lr: 1 }).step();
      net.zeroGrad();
    });
    for (let i = 0; i < 3; i++) await step();
    expect(await numbers(net.weight)).not.toEqual(before);
    expect(await numbers(state["weight"]!)).toEqual(before);
    net.loadStateDict(state);
    expect(await numbers(net.weight)).toEqual(before);
  });
});

describe("loadStateDict", () => {
  test("takes all, converting the dtype", async () => {
    const [net, other] = [new Net(), new Net()];
    other.count.fill_(5);
    const state = other.stateDict();
    state["scale"] = tensor([1, 2, 3], { dtype: "float64" });
    expect(net.loadStateDict(state)).toEqual({ missing: [], unexpected: [], mismatched: [] });
    expect(await numbers(net.scale)).toEqual([1, 2, 3]);
    expect(net.scale.dtype).toBe("float32");
    expect(await net.count.item()).toBe(5);
    expect(await numbers(net.first.weight)).toEqual(await numbers(other.first.weight));
  });

  test("names every key that does not fit and loads nothing", async () => {
    const net = new Net();
    const before = await numbers(net.first.bias!);
    const state = new Net().stateDict();
    delete state["scale"];
    delete state["count"];
    state["extra"] = zeros([1]);
    state["blocks.0.weight"] = zeros([3, 4]);
    expect(() => net.loadStateDict(state)).toThrow(
      [
        "loadStateDict: 4 key(s) do not fit Net:",
        "  blocks.0.weight: expected [3,3], got [3,4]",
        "  scale: missing",
        "  count: missing",
        "  extra: unexpected",
      ].join("\n"),
    );
    expect(await numbers(net.first.bias!)).toEqual(before);
  });

  test("not strict, loads what fits and reports the rest; shapes must fit all the same", async () => {
    const net = new Net();
    const state = { "first.bias": tensor([1, 2, 3]), extra: zeros([1]) };
    expect(net.loadStateDict(state, { strict: false })).toEqual({
      missing: KEYS.filter((key) => key !== "first.bias"),
      unexpected: ["extra"],
      mismatched: [],
    });
    expect(await numbers(net.first.bias!)).toEqual([1, 2, 3]);
    const wrong = { "first.bias": zeros([4]) };
    expect(() => net.loadStateDict(wrong, { strict: false })).toThrow("expected [3], got [4]");
  });
});

describe("parameters shared by two modules", () => {
  class Tied extends nn.Module {
    readonly embedding = new nn.Embedding(4, 3);
    readonly output = new nn.Linear(3, 4, { bias: false });

    constructor() {
      super();
      (this.output as { weight: nn.Parameter }).weight = this.embedding.weight;
    }

    forward(ids: Tensor): Tensor {
      return this.output.forward(this.embedding.forward(ids));
    }
  }

  test("are learned once, have both keys, and collect both gradients", async () => {
    const net = new Tied();
    expect(Array.from(net.namedParameters(), ([name]) => name)).toEqual(["embedding.weight"]);
    expect(Object.keys(net.stateDict())).toEqual(["embedding.weight", "output.weight"]);
    noGrad(() => net.embedding.weight.fill_(1));
    net
      .forward(tensor([2], { dtype: "int32" }))
      .sum()
      .backward();
    // Σ_j e₂·e_j: each row gets e₂ = 1, and row 2 also Σ_j e_j = 4.
    expect(await net.embedding.weight.grad!.toArray()).toEqual([
      [1, 1, 1],
      [1, 1, 1],
      [5, 5, 5],
      [1, 1, 1],
    ]);
  });
});

describe("training mode", () => {
  class Noisy extends nn.Module {
    readonly dropout = new nn.Dropout(0.5);

    forward(x: Tensor): Tensor {
      return this.dropout.forward(x);
    }
  }

  test("reaches all children, and a compiled function follows it with one program for each mode", async () => {
    const net = new Noisy();
    const forward = compile((x: Tensor) => net.forward(x));
    const x = ones([1000]);
    const zerosIn = async (): Promise<number> =>
      (await numbers(await forward(x))).filter((value) => value === 0).length;
    expect(await zerosIn()).toBeGreaterThan(400);
    net.eval();
    expect([net.training, net.dropout.training]).toEqual([false, false]);
    expect(await zerosIn()).toBe(0);
    net.train();
    expect(await zerosIn()).toBeGreaterThan(400);
    net.eval();
    expect(await zerosIn()).toBe(0);
    expect(forward.traces).toBe(2);
  });
});

describe("buffers", () => {
  class Counter extends nn.Module {
    readonly total = this.registerBuffer("total", zeros([2]));

    forward(x: Tensor): Tensor {
      this.total.add_(x);
      return this.total.mul(2);
    }
  }

  test("change in compiled functions and belong to the state", async () => {
    const net = new Counter();
    const forward = compile((x: Tensor) => net.forward(x));
    for (let i = 1; i <= 3; i++) {
      const result = await forward(tensor([i, 1]));
      expect(await numbers(result)).toEqual([i * (i + 1), 2 * i]);
    }
    expect(await numbers(net.stateDict()["total"]!)).toEqual([6, 3]);
    expect(net.parameters()).toEqual([]);
    expect(forward.traces).toBe(1);
  });
});
