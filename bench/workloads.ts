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

export type TrainingWorkload = MlpWorkload | EncoderWorkload;
export type Workload = TrainingWorkload | DispatchWorkload | MatmulWorkload;

const seeds = { inputSeed: 1, targetSeed: 2 };

/** PyTorch's default range for a linear layer: ±1/√fanIn for weight and bias. */
function linear(prefix: string, fanIn: number, fanOut: number): Omit<ParameterSpec, "seed">[] {
  const bound = 1 / Math.sqrt(fanIn);
  return [
    { name: `${prefix}.weight`, shape: [fanOut, fanIn], bound, shift: 0 },
    { name: `${prefix}.bias`, shape: [fanOut], bound, shift: 0 },
  ];
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

type EncoderSizes = Omit<
  EncoderWorkload,
  "kind" | "parameters" | "learningRate" | "weightDecay" | keyof Common
>;

function encoder(name: string, sizes: EncoderSizes): EncoderWorkload {
  const { dModel: d, feedforward: ff } = sizes;
  const layer = (prefix: string): Omit<ParameterSpec, "seed">[] => {
    const [inWeight, inBias] = linear("", d, 3 * d);
    if (!inWeight || !inBias) throw new Error("linear() gives a weight and a bias");
    return [
      { ...inWeight, name: `${prefix}.self_attn.in_proj_weight` },
      { ...inBias, name: `${prefix}.self_attn.in_proj_bias` },
      ...linear(`${prefix}.self_attn.out_proj`, d, d),
      ...linear(`${prefix}.linear1`, d, ff),
      ...linear(`${prefix}.linear2`, ff, d),
      ...norm(`${prefix}.norm1`, d),
      ...norm(`${prefix}.norm2`, d),
    ];
  };
  const parameters = seeded([
    { name: "token.weight", shape: [sizes.vocabulary, d], bound: 1, shift: 0 },
    { name: "position.weight", shape: [sizes.length, d], bound: 1, shift: 0 },
    ...Array.from({ length: sizes.layers }, (_, i) => layer(`encoder.layers.${i}`)).flat(),
    ...linear("classifier", d, sizes.labels),
  ]);
  const common = { name, ...seeds, parameters, learningRate: 1e-4, weightDecay: 0.01 };
  return { kind: "encoder", ...common, ...sizes };
}

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
  encoder("encoder-22m", {
    ...{ layers: 6, dModel: 384, heads: 12, feedforward: 1536 },
    ...{ vocabulary: 30522, batch: 8, length: 128, labels: 25 },
  }),
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
