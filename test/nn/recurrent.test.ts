/** Recurrent networks against PyTorch: layers, directions, layouts, first states, lengths, cells. */
import { describe, expect, test } from "vitest";
import { compile, grad, gradcheck, tensor, zeros, type Tensor } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import { filled } from "../support/filled.ts";
import { suite, type Case } from "./parity.ts";

type States = readonly [Tensor, Tensor];
type Network = nn.RNN | nn.LSTM | nn.GRU;

const flat = ([output, states]: readonly [Tensor, Tensor | States]): readonly Tensor[] =>
  Array.isArray(states) ? [output, ...(states as States)] : [output, states as Tensor];

/** The inputs behind the first are first states. */
function network(build: () => Network, options: nn.SequenceOptions = {}): Case<Network> {
  return {
    build,
    call: ([x, h, c], module) =>
      flat(
        module instanceof nn.LSTM
          ? module.forward(x!, h ? [h, c!] : null, options)
          : module.forward(x!, h ?? null, options),
      ),
  };
}

const cell = (build: () => nn.RNNCell | nn.GRUCell): Case<nn.RNNCell | nn.GRUCell> => ({
  build,
  call: ([x, h], module) => module.forward(x!, h ?? null),
});
const lstmCell = (build: () => nn.LSTMCell): Case<nn.LSTMCell> => ({
  build,
  call: ([x, h, c], module) => module.forward(x!, h ? [h, c!] : null),
});

const deep = { numLayers: 2, bidirectional: true };

function casesOf(
  kind: string,
  make: (inputs: number, hidden: number, options?: nn.RecurrentOptions) => Network,
): Record<string, Case<Network>> {
  return {
    [kind]: network(() => make(3, 4)),
    [`${kind} with first states`]: network(() => make(3, 4, { batchFirst: true })),
    [`${kind} without bias`]: network(() => make(3, 4, { bias: false })),
    [`${kind} of two layers, both ways`]: network(() => make(3, 2, deep)),
    [`${kind} of one sequence`]: network(() => make(3, 2, { numLayers: 2 })),
    [`${kind} of one step`]: network(() => make(3, 4, { bidirectional: true })),
    [`${kind} with lengths`]: network(() => make(3, 2, { ...deep, batchFirst: true }), {
      lengths: [2, 4, 1],
    }),
  };
}

describe("recurrent networks", () => {
  suite<nn.Module>("recurrent", {
    ...casesOf("RNN", (...sizes) => new nn.RNN(...sizes)),
    ...casesOf("LSTM", (...sizes) => new nn.LSTM(...sizes)),
    ...casesOf("GRU", (...sizes) => new nn.GRU(...sizes)),
    "RNN with relu": network(() => new nn.RNN(3, 4, { nonlinearity: "relu" })),
    "LSTM with projections": network(() => new nn.LSTM(3, 4, { ...deep, projSize: 2 })),
    RNNCell: cell(() => new nn.RNNCell(3, 4)),
    "RNNCell of one sample": cell(() => new nn.RNNCell(3, 4, { bias: false })),
    "RNNCell with relu": cell(() => new nn.RNNCell(3, 4, { nonlinearity: "relu" })),
    GRUCell: cell(() => new nn.GRUCell(3, 4)),
    "GRUCell of one sample": cell(() => new nn.GRUCell(3, 4, { bias: false })),
    LSTMCell: lstmCell(() => new nn.LSTMCell(3, 4)),
    "LSTMCell of one sample": lstmCell(() => new nn.LSTMCell(3, 4, { bias: false })),
  } as unknown as Record<string, Case>);

  test("lengths given as a tensor need no new program when they change", async () => {
    const lstm = new nn.LSTM(3, 2, { batchFirst: true, bidirectional: true });
    const x = filled([2, 4, 3], 1);
    const run = compile((x: Tensor, lengths: Tensor) => lstm.forward(x, null, { lengths })[0]);
    for (const lengths of [
      [4, 2],
      [1, 3],
    ]) {
      const [expected] = lstm.forward(x, null, { lengths });
      const got = await run(x, tensor(lengths, { dtype: "int32" }));
      expect(await got.toArray()).toEqual(await expected.toArray());
    }
    expect(run.traces).toBe(1);
  });

  test("a loop over cells gives what the network gives", async () => {
    const network = new nn.GRU(3, 4);
    const one = new nn.GRUCell(3, 4);
    const state = Object.entries(network.stateDict());
    one.loadStateDict(Object.fromEntries(state.map(([key, t]) => [key.replace("_l0", ""), t])));
    const x = filled([3, 2, 3], 2);
    let h: Tensor = zeros([2, 4]);
    for (const step of x.split(1)) h = one.forward(step.squeeze(0), h);
    const [, last] = network.forward(x);
    const [a, b] = [await h.data(), await last.data()];
    a.forEach((value, i) => expect(value).toBeCloseTo(Number(b[i]), 6));
  });

  test("dropout zeroes between layers while training only", async () => {
    const network = new nn.RNN(3, 4, { numLayers: 2, dropout: 0.5 });
    const x = filled([3, 2, 3], 2);
    const run = async () => JSON.stringify(await network.forward(x)[0].toArray());
    expect(await run()).not.toBe(await run());
    network.eval();
    expect(await run()).toBe(await run());
  });

  test.each([
    ["RNN", () => new nn.RNN(2, 3)],
    ["LSTM", () => new nn.LSTM(2, 3)],
    ["GRU", () => new nn.GRU(2, 3)],
  ])("gradients of gradients of %s are right", async (_name, make) => {
    const network = make().to("float64");
    const penalty = (x: Tensor): Tensor => {
      const y = network.forward(x)[0];
      const [g] = grad(y.mul(y).sum(), [x], { createGraph: true });
      return g!.mul(g!).sum();
    };
    const x = filled([3, 2, 2], 1).cast("float64");
    expect(await gradcheck(penalty, [x])).toBe(true);
  });

  test("errors say what is needed", () => {
    const lstm = new nn.LSTM(3, 4);
    expect(() => lstm.forward(zeros([2, 2, 5]))).toThrow(
      "LSTM: expected [steps, batch, 3] or [steps, 3], got [2,2,5]",
    );
    expect(() => lstm.forward(zeros([2, 2, 3]), [zeros([2, 4]), zeros([2, 4])])).toThrow(
      "LSTM: the first state must be [1,2,4] (layers · directions, batch, size), got [2,4]",
    );
    expect(() => lstm.forward(zeros([2, 2, 3]), null, { lengths: [0, 2] })).toThrow(
      "LSTM: lengths must be integers from 1 to 2, got 0",
    );
    expect(() => new nn.LSTM(3, 4, { projSize: 4 })).toThrow("smaller than hiddenSize 4, got 4");
    expect(() => new nn.GRUCell(3, 4).forward(zeros([2, 2]))).toThrow(
      "GRUCell: expected [batch, 3] or [3], got [2,2]",
    );
  });
});
