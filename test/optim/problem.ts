/** The small problem that scripts/fixtures/optim.py trains with PyTorch, and how its optimizers are made here. */
import { floats } from "../../bench/fixed-data.ts";
import { tensor, type DType, type Tensor } from "../../src/index.ts";
import { Parameter } from "../../src/nn/index.ts";
import { Adam, AdamW, SGD, type Optimizer, type OptimizerState } from "../../src/optim/index.ts";
import type { Numbers } from "../support/close.ts";

type Options = Readonly<Record<string, number | boolean | readonly number[]>>;

/** Parameters and optimizer state at one time; `state` by parameter number and PyTorch's names. */
export interface Snapshot {
  readonly state: Readonly<Record<string, Readonly<Record<string, Numbers>>>>;
  readonly parameters: Readonly<Record<string, Numbers>>;
}

export interface Run {
  readonly name: string;
  readonly optimizer: "SGD" | "Adam" | "AdamW";
  readonly options: Options;
  readonly groups: readonly ({ readonly params: readonly string[] } & Readonly<
    Record<string, unknown>
  >)[];
  /** Whether c gets a gradient in some steps only. */
  readonly alternating: boolean;
  readonly dtype: DType;
  readonly losses: Numbers;
  readonly middle: Snapshot;
  readonly end: Snapshot;
}

export const shapes = { a: [5, 3], b: [5], c: [2, 5] } as const;
type Name = keyof typeof shapes;

/** Whether c is trained in a step. */
export const trainsC = ({ alternating }: Run, step: number): boolean =>
  !alternating || (step >= 3 && step % 2 === 0);

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export class Problem {
  readonly parameters: Readonly<Record<Name, Parameter>>;
  readonly optimizer: Optimizer<{ readonly lr: number }>;
  readonly #x: Tensor;
  readonly #y: Tensor;

  constructor({ dtype, optimizer, options, groups }: Run) {
    const make = (seed: number, shape: readonly number[]): Tensor =>
      tensor(floats(seed, size(shape)), { shape, dtype });
    const [a, b, c] = Object.values(shapes).map((shape, i) => new Parameter(make(10 + i, shape)));
    this.parameters = { a: a!, b: b!, c: c! };
    this.#x = make(1, [8, 3]);
    this.#y = make(2, [8, 2]);
    const Class = { SGD, Adam, AdamW }[optimizer];
    const described = groups.map(({ params, ...rest }) => ({
      params: params.map((name) => this.parameters[name as Name]),
      ...camelCase(rest),
    }));
    this.optimizer = new Class(described, camelCase(options));
  }

  /** One step: mean squared error of tanh(x aᵀ + b) cᵀ. */
  step(withC: boolean): Tensor {
    const { a, b, c } = this.parameters;
    const hidden = this.#x.matmul(a, { transB: true }).add(b).tanh();
    const error = hidden.matmul(withC ? c : c.detach(), { transB: true }).sub(this.#y);
    const loss = error.mul(error).mean();
    this.optimizer.zeroGrad();
    loss.backward();
    this.optimizer.step();
    return loss;
  }
}

/** PyTorch's option names as ours. */
const camelCase = (options: object): object =>
  Object.fromEntries(
    Object.entries(options).map(([key, value]) => [
      key.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
      value as unknown,
    ]),
  );

/** A snapshot of PyTorch's as the state dict that a run's optimizer loads. */
export function stateDictOf({ groups, options, dtype }: Run, { state }: Snapshot): OptimizerState {
  const names = groups.flatMap(({ params }) => params);
  let next = 0;
  return {
    state: Object.fromEntries(
      Object.entries(state).map(([number, entry]) => [
        number,
        Object.fromEntries(
          Object.entries(entry).map(([key, values]) => {
            const shape = key === "step" ? [] : shapes[names[Number(number)] as Name];
            return [key, tensor(values.map(Number), { dtype, shape })];
          }),
        ),
      ]),
    ),
    paramGroups: groups.map(({ params, lr }) => ({
      lr: (lr ?? options["lr"]) as number,
      params: params.map(() => next++),
    })),
  };
}
