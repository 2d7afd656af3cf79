/** What is timed: sizes, data and starting weights of every workload, the same for all libraries. */

/** A parameter under its PyTorch name, started uniformly in `shift ± bound`. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly bound: number;
  readonly shift: number;
  readonly seed: number;
}

interface Common {
  readonly name: string;
  readonly inputSeed: number;
  readonly targetSeed: number;
}

interface Training extends Common {
  readonly batch: number;
  readonly learningRate: number;
  readonly parameters: readonly ParameterSpec[];
}

/** Linear layers with ReLU between them, cross-entropy, Adam. */
export interface MlpWorkload extends Training {
  readonly kind: "mlp";
  readonly sizes: readonly number[];
}

/** Post-norm Transformer encoder with GELU, one label a token, cross-entropy, AdamW, no dropout. */
export interface EncoderWorkload extends Training {
  readonly kind: "encoder";
  readonly layers: number;
  readonly dModel: number;
  readonly heads: number;
  readonly feedforward: number;
  readonly vocabulary: number;
  readonly length: number;
  readonly labels: number;
  readonly weightDecay: number;
}

/** LeNet-5's layers with ReLU and maximum pooling on one-channel images, cross-entropy, Adam. */
export interface ConvWorkload extends Training {
  readonly kind: "conv";
  /** Channels, height and width of an image. */
  readonly example: readonly [number, number, number];
  /** Output channels of the two convolutions, 5×5, the first padded to keep the image's size. */
  readonly channels: readonly [number, number];
  /** Sizes of the linear layers behind them; the last is the number of labels. */
  readonly sizes: readonly number[];
  readonly labels: number;
}

/** One LSTM layer and a linear layer on its last output, cross-entropy, Adam. */
export interface LstmWorkload extends Training {
  readonly kind: "lstm";
  /** Length of a sequence and features of each of its elements. */
  readonly example: readonly [number, number];
  readonly hidden: number;
  readonly labels: number;
}

/** A function's value and its gradients; nothing is learned. */
export interface GradientWorkload extends Common {
  readonly kind: "gradient";
  readonly of: "chain" | "softmax" | "layernorm" | "cross-entropy";
  readonly shape: readonly [number, number];
}

/** AdamW alone, with the same given gradients in every step. */
export interface OptimizerWorkload extends Common {
  readonly kind: "optimizer";
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly parameters: readonly ParameterSpec[];
}

/** A chain of additions, each its own call, whose last value is read. */
export interface DispatchWorkload extends Common {
  readonly kind: "dispatch";
  readonly additions: number;
  readonly size: number;
}

/** One square matrix product. */
export interface MatmulWorkload extends Common {
  readonly kind: "matmul";
  readonly size: number;
}

/**
 * A whole batch decoded by an encoder–decoder with kept keys and values: post-norm with ReLU, one shared table. Targets end
 * after `generated` tokens, never before.
 */
export interface DecodeWorkload extends Common {
  readonly kind: "decode";
  readonly batch: number;
  /** Hypotheses of a sentence; 1: greedy. */
  readonly beams: number;
  /** Layers of the encoder, and of the decoder. */
  readonly layers: number;
  readonly dModel: number;
  readonly heads: number;
  readonly feedforward: number;
  readonly vocabulary: number;
  /** Lengths of sources. */
  readonly shortest: number;
  readonly longest: number;
  readonly generated: number;
  readonly padId: number;
  readonly bosId: number;
  readonly eosId: number;
  readonly parameters: readonly ParameterSpec[];
}

export type TrainingWorkload = MlpWorkload | EncoderWorkload | ConvWorkload | LstmWorkload;
export type Workload =
  | TrainingWorkload
  | GradientWorkload
  | OptimizerWorkload
  | DispatchWorkload
  | MatmulWorkload
  | DecodeWorkload;

const seeds = { inputSeed: 1, targetSeed: 2 };

/** PyTorch's default range for a linear layer: ±1/√fanIn for weight and bias. */
function linear(prefix: string, fanIn: number, fanOut: number): Omit<ParameterSpec, "seed">[] {
  const bound = 1 / Math.sqrt(fanIn);
  return [
    { name: `${prefix}.weight`, shape: [fanOut, fanIn], bound, shift: 0 },
    { name: `${prefix}.bias`, shape: [fanOut], bound, shift: 0 },
  ];
}

/** PyTorch's default range for a 5×5 convolution is that of a linear layer. */
function conv(prefix: string, from: number, to: number): Omit<ParameterSpec, "seed">[] {
  const [weight, bias] = linear(prefix, from * 25, to);
  if (!weight || !bias) throw new Error("linear() gives a weight and a bias");
  return [{ ...weight, shape: [to, from, 5, 5] }, bias];
}

function norm(prefix: string, size: number): Omit<ParameterSpec, "seed">[] {
  return [
    { name: `${prefix}.weight`, shape: [size], bound: 0, shift: 1 },
    { name: `${prefix}.bias`, shape: [size], bound: 0, shift: 0 },
  ];
}

function seeded(specs: readonly Omit<ParameterSpec, "seed">[]): ParameterSpec[] {
  return specs.map((spec, index) => ({ ...spec, seed: 100 + index }));
}

function mlp(name: string, sizes: readonly number[], batch: number): MlpWorkload {
  const parameters = seeded(
    sizes.slice(1).flatMap((out, i) => linear(`layers.${i}`, sizes[i] ?? 0, out)),
  );
  return { kind: "mlp", name, ...seeds, sizes, batch, learningRate: 1e-3, parameters };
}

function lenet(name: string, batch: number): ConvWorkload {
  const sizes = [400, 120, 84, 10];
  const parameters = seeded([
    ...conv("conv.0", 1, 6),
    ...conv("conv.1", 6, 16),
    ...sizes.slice(1).flatMap((out, i) => linear(`linear.${i}`, sizes[i] ?? 0, out)),
  ]);
  const common = { name, ...seeds, batch, learningRate: 1e-3, parameters };
  return {
    ...{ kind: "conv", ...common, example: [1, 28, 28] },
    ...{ channels: [6, 16], sizes, labels: 10 },
  };
}

type LstmSizes = Pick<LstmWorkload, "batch" | "example" | "hidden" | "labels">;

function lstm(name: string, sizes: LstmSizes): LstmWorkload {
  const { hidden, labels } = sizes;
  const bound = 1 / Math.sqrt(hidden);
  const spec = (key: string, ...shape: number[]) => ({
    name: `lstm.${key}`,
    shape,
    bound,
    shift: 0,
  });
  const parameters = seeded([
    spec("weight_ih_l0", 4 * hidden, sizes.example[1]),
    spec("weight_hh_l0", 4 * hidden, hidden),
    spec("bias_ih_l0", 4 * hidden),
    spec("bias_hh_l0", 4 * hidden),
    ...linear("head", hidden, labels),
  ]);
  return { kind: "lstm", name, ...seeds, ...sizes, learningRate: 1e-3, parameters };
}

function gradient(
  name: string,
  of: GradientWorkload["of"],
  shape: GradientWorkload["shape"],
): GradientWorkload {
  return { kind: "gradient", name, ...seeds, of, shape };
}

type EncoderSizes = Omit<
  EncoderWorkload,
  "kind" | "parameters" | "learningRate" | "weightDecay" | keyof Common
>;

/** Self-attention or attention to a memory. */
function attention(prefix: string, d: number): Omit<ParameterSpec, "seed">[] {
  const [weight, bias] = linear("", d, 3 * d);
  if (!weight || !bias) throw new Error("linear() gives a weight and a bias");
  return [
    { ...weight, name: `${prefix}.in_proj_weight` },
    { ...bias, name: `${prefix}.in_proj_bias` },
    ...linear(`${prefix}.out_proj`, d, d),
  ];
}

function decode(name: string, batch: number, beams: number): DecodeWorkload {
  const sizes = { layers: 3, dModel: 256, heads: 4, feedforward: 1024, vocabulary: 8000 };
  const { layers, dModel: d, feedforward: ff } = sizes;
  const layer = (prefix: string, across: boolean): Omit<ParameterSpec, "seed">[] => [
    ...attention(`${prefix}.self_attn`, d),
    ...(across ? attention(`${prefix}.multihead_attn`, d) : []),
    ...linear(`${prefix}.linear1`, d, ff),
    ...linear(`${prefix}.linear2`, ff, d),
    ...["norm1", "norm2", ...(across ? ["norm3"] : [])].flatMap((n) => norm(`${prefix}.${n}`, d)),
  ];
  const stack = (side: "encoder" | "decoder"): Omit<ParameterSpec, "seed">[] => [
    ...Array.from({ length: layers }, (_, i) =>
      layer(`transformer.${side}.layers.${i}`, side === "decoder"),
    ).flat(),
    ...norm(`transformer.${side}.norm`, d),
  ];
  const table = { name: "embedding.weight", shape: [sizes.vocabulary, d], shift: 0 };
  // The standard deviation of the table is 1/√d. Layers weigh more than when training starts, or each token repeats the last.
  const heavier = (spec: Omit<ParameterSpec, "seed">) => ({ ...spec, bound: 3 * spec.bound });
  const parameters = seeded([
    { ...table, bound: Math.sqrt(3 / d) },
    ...[...stack("encoder"), ...stack("decoder")].map(heavier),
  ]);
  const ids = { padId: 0, bosId: 1, eosId: 2 };
  const lengths = { shortest: 16, longest: 24, generated: 32 };
  return { kind: "decode", name, ...seeds, batch, beams, ...sizes, ...lengths, ...ids, parameters };
}

function encoder(name: string, sizes: EncoderSizes): EncoderWorkload {
  const { dModel: d, feedforward: ff } = sizes;
  const layer = (prefix: string): Omit<ParameterSpec, "seed">[] => [
    ...attention(`${prefix}.self_attn`, d),
    ...linear(`${prefix}.linear1`, d, ff),
    ...linear(`${prefix}.linear2`, ff, d),
    ...norm(`${prefix}.norm1`, d),
    ...norm(`${prefix}.norm2`, d),
  ];
  const parameters = seeded([
    { name: "token.weight", shape: [sizes.vocabulary, d], bound: 1, shift: 0 },
    { name: "position.weight", shape: [sizes.length, d], bound: 1, shift: 0 },
    ...Array.from({ length: sizes.layers }, (_, i) => layer(`encoder.layers.${i}`)).flat(),
    ...linear("classifier", d, sizes.labels),
  ]);
  const common = { name, ...seeds, parameters, learningRate: 1e-4, weightDecay: 0.01 };
  return { kind: "encoder", ...common, ...sizes };
}

const encoder22m = encoder("encoder-22m", {
  ...{ layers: 6, dModel: 384, heads: 12, feedforward: 1536 },
  ...{ vocabulary: 30522, batch: 8, length: 128, labels: 25 },
});

export const workloads: readonly Workload[] = [
  mlp("mlp", [784, 256, 128, 10], 64),
  encoder("encoder-tiny", {
    ...{ layers: 2, dModel: 32, heads: 4, feedforward: 64 },
    ...{ vocabulary: 1000, batch: 2, length: 16, labels: 9 },
  }),
  encoder("encoder-5m", {
    ...{ layers: 4, dModel: 256, heads: 4, feedforward: 1024 },
    ...{ vocabulary: 8000, batch: 8, length: 128, labels: 25 },
  }),
  encoder22m,
  lenet("conv", 64),
  lstm("lstm", { batch: 32, example: [32, 64], hidden: 128, labels: 10 }),
  gradient("elementwise-chain", "chain", [1024, 1024]),
  gradient("softmax-large", "softmax", [1024, 4096]),
  gradient("layernorm", "layernorm", [4096, 768]),
  gradient("cross-entropy-30k", "cross-entropy", [256, 30522]),
  {
    ...{
      kind: "optimizer",
      name: "optimizer-22m",
      ...seeds,
      learningRate: 1e-4,
      weightDecay: 0.01,
    },
    parameters: encoder22m.parameters,
  },
  decode("decode-greedy-1", 1, 1),
  decode("decode-greedy-32", 32, 1),
  decode("decode-beam4-1", 1, 4),
  decode("decode-beam4-32", 32, 4),
  { kind: "dispatch", name: "dispatch", ...seeds, additions: 1000, size: 8 },
  { kind: "matmul", name: "matmul", ...seeds, size: 1024 },
];

/** How many numbers a training workload learns. */
export function parameterCount(workload: TrainingWorkload): number {
  return workload.parameters.reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
}
