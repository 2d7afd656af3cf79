/** The small problem that scripts/fixtures/optim.py trains with PyTorch, and how its optimizers are made here. */
import { floats } from "../../bench/fixed-data.ts";
import { compile, tensor, type DType, type Tensor } from "../../src/index.ts";
import { Parameter } from "../../src/nn/index.ts";
import * as optim from "../../src/optim/index.ts";
import type { Numbers } from "../support/close.ts";

type Options = Readonly<Record<string, unknown>>;

/** Parameters and optimizer state at one time; `state` by parameter number and PyTorch's names. */
export interface Snapshot {
  readonly state: Readonly<Record<string, Readonly<Record<string, Numbers>>>>;
  readonly param_groups: readonly Options[];
  readonly parameters: Readonly<Record<string, Numbers>>;
}

const classes = {
  SGD: optim.SGD,
  Adam: optim.Adam,
  AdamW: optim.AdamW,
  RMSprop: optim.RMSprop,
  Adagrad: optim.Adagrad,
  Adafactor: optim.Adafactor,
  Lion: optim.Lion,
};

export interface Run {
  readonly name: string;
  readonly optimizer: keyof typeof classes;
  readonly options: Options;
  readonly groups: readonly ({ readonly params: readonly string[] } & Options)[];
  /** Whether c gets a gradient in some steps only. */
  readonly alternating: boolean;
  /** Options of a one-cycle schedule that goes with it. */
  readonly schedule: Options | null;
  readonly dtype: DType;
  readonly losses: Numbers;
  readonly middle: Snapshot;
  readonly end: Snapshot;
}

export const shapes = { a: [5, 3], b: [5], c: [2, 5], d: [2] } as const;
type Name = keyof typeof shapes;

/** Whether c is trained in a step. */
export const trainsC = ({ alternating }: Run, step: number): boolean =>
  !alternating || (step >= 3 && step % 2 === 0);

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** What all optimizers have. */
type AnyOptimizer = Pick<
  optim.SGD,
  "step" | "zeroGrad" | "stateDict" | "loadStateDict" | "addParamGroup"
> &
  optim.Scheduled;

export class Problem {
  readonly parameters: Readonly<Record<Name, Parameter>>;
  readonly optimizer: AnyOptimizer;
  readonly schedule: optim.LRScheduler | null;
  readonly #sign: number;
  readonly #x: Tensor;
  readonly #y: Tensor;

  constructor({ dtype, optimizer, options, groups, schedule }: Run) {
    const make = (seed: number, shape: readonly number[]): Tensor =>
      tensor(floats(seed, size(shape)), { shape, dtype });
    const [a, b, c, d] = Object.values(shapes).map(
      (shape, i) => new Parameter(make(10 + i, shape)),
    );
    this.parameters = { a: a!, b: b!, c: c!, d: d! };
    this.#x = make(1, [8, 3]);
    this.#y = make(2, [8, 2]);
    this.#sign = options["maximize"] ? -1 : 1;
    const described = groups.map(({ params, ...rest }) => ({
      params: params.map((name) => this.parameters[name as Name]),
      ...camelCase(rest),
    }));
    this.optimizer = new classes[optimizer](described, camelCase(options));
    const { maxLr, ...cycle } = camelCase(schedule ?? {});
    this.schedule = schedule && new optim.OneCycleLR(this.optimizer, maxLr as number, cycle);
  }

  /** One step: mean squared error of tanh(x aᵀ + b) cᵀ + d. */
  step(withC: boolean): Tensor {
    const { a, b, c, d } = this.parameters;
    const hidden = this.#x.matmul(a.transpose(0, 1)).add(b).tanh();
    const error = hidden
      .matmul((withC ? c : c.detach()).transpose(0, 1))
      .add(d)
      .sub(this.#y);
    const loss = error.mul(error).mean();
    this.optimizer.zeroGrad();
    loss.mul(this.#sign).backward();
    this.optimizer.step();
    return loss;
  }

  /** A function that does a step, by one program for each set of parameters trained, or by recording it anew. */
  stepper(compiled: boolean): (withC: boolean) => Promise<Tensor> {
    if (!compiled) return (withC) => Promise.resolve(this.step(withC));
    const [all, some] = [compile(() => this.step(true)), compile(() => this.step(false))];
    return (withC) => (withC ? all() : some());
  }
}

/** PyTorch's option names as ours. */
export const camelCase = (options: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(options).map(([key, value]) => [
      key.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
      value as unknown,
    ]),
  );

/** The shape of what an optimizer keeps for a parameter under a name. */
function stateShape(key: string, [rows, columns]: readonly number[]): readonly number[] {
  if (key === "step") return [];
  if (key === "row_var") return [rows!, 1];
  if (key === "col_var") return [1, columns!];
  return columns === undefined ? [rows!] : [rows!, columns];
}

/** A snapshot of PyTorch's as the state dict that it is there. */
export function torchStateOf(
  { groups, dtype }: Run,
  { state, param_groups }: Snapshot,
): optim.TorchOptimizerState {
  const names = groups.flatMap(({ params }) => params) as Name[];
  const tensors = Object.entries(state).map(([number, entry]) => {
    const own = shapes[names[Number(number)]!];
    const made = Object.entries(entry).map(([key, values]) => {
      const options = { dtype: key === "step" ? "float32" : dtype, shape: stateShape(key, own) };
      return [key, tensor(values.map(Number), options)] as const;
    });
    return [number, Object.fromEntries(made)] as const;
  });
  return { state: Object.fromEntries(tensors), param_groups };
}
