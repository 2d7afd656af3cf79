/** Parameters computed from others each time they are read: torch.nn.utils.parametrize. */

import type { Tensor } from "../tensor.ts";
import { Module, Parameter } from "./module.ts";

/** How a parameter comes of what is learned in its place. */
export abstract class Parametrization extends Module {
  /** The parameter from what is learned. */
  abstract override forward(...originals: Tensor[]): Tensor;

  /** What is learned, from a parameter's first value: one tensor for `original`, several for `original0`, `original1`, … */
  rightInverse(value: Tensor): Tensor | readonly Tensor[] {
    return value;
  }
}

/** What is learned in place of one parameter, as `original` or `original0`, `original1`, …, and how that comes of it, as `0`. */
class ParametrizationList extends Module {
  readonly #parametrization: Parametrization;
  readonly #originals: readonly Parameter[];

  constructor(parameter: Parameter, parametrization: Parametrization) {
    super();
    this.#parametrization = parametrization;
    const learned = parametrization.rightInverse(parameter.detach());
    const fields = this as unknown as Record<string, Parameter>;
    if (Array.isArray(learned)) {
      this.#originals = (learned as readonly Tensor[]).map((value) => new Parameter(value));
      this.#originals.forEach((original, i) => (fields[`original${i}`] = original));
    } else {
      // The parameter itself goes on being learned, so optimizers that know it need not be told.
      this.#originals = [parameter];
      fields["original"] = parameter;
    }
    (this as unknown as Record<string, Module>)["0"] = parametrization;
  }

  forward(): Tensor {
    return this.#parametrization.forward(...this.#originals);
  }

  /** The only tensor that is learned, where there is one. */
  get single(): Parameter | null {
    return this.#originals.length === 1 ? this.#originals[0]! : null;
  }
}

/** Parametrizations of a module by the names of the parameters. */
class ModuleDict extends Module {
  forward(): never {
    throw new Error("parametrizations have no forward: read the parameter");
  }
}

type Fields = Record<string, unknown> & { parametrizations?: ModuleDict };

const listOf = (module: Module, name: string): ParametrizationList | undefined =>
  ((module as unknown as Fields).parametrizations as unknown as Fields | undefined)?.[name] as
    ParametrizationList | undefined;

/** Whether a parameter of a module is computed from others. */
export const isParametrized = (module: Module, name: string): boolean =>
  listOf(module, name) !== undefined;

/**
 * Has a module's parameter computed by `parametrization` each time it is read; what is learned instead has the keys
 * `parametrizations.weight.original`, …, as in PyTorch. Make optimizers afterwards. One parametrization a parameter.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.register_parametrization.html
 */
export function registerParametrization<M extends Module>(
  module: M,
  name: string,
  parametrization: Parametrization,
): M {
  const fields = module as unknown as Fields;
  if (isParametrized(module, name))
    throw new Error(`registerParametrization: "${name}" is parametrized already`);
  const parameter = fields[name];
  if (!(parameter instanceof Parameter))
    throw new Error(
      `registerParametrization: ${module.constructor.name} has no parameter "${name}"; it has ${Array.from(module.namedParameters(), ([key]) => `"${key}"`).join(", ")}`,
    );
  const list = new ParametrizationList(parameter, parametrization);
  fields.parametrizations ??= new ModuleDict();
  (fields.parametrizations as unknown as Fields)[name] = list;
  list.train(module.training);
  // Not enumerable: the module's own parameters are those of its list now.
  Object.defineProperty(module, name, {
    configurable: true,
    get: () => list.forward(),
    set: () => {
      throw new Error(
        `"${name}" is parametrized and cannot be set; use removeParametrizations first`,
      );
    },
  });
  return module;
}

/** Makes a parametrized parameter one of its own again, with the value it has, or, unless `leaveParametrized`, with the original's. */
export function removeParametrizations<M extends Module>(
  module: M,
  name: string,
  { leaveParametrized = true }: { leaveParametrized?: boolean } = {},
): M {
  const list = listOf(module, name);
  if (list === undefined)
    throw new Error(
      `removeParametrizations: "${name}" of ${module.constructor.name} is not parametrized`,
    );
  const { single } = list;
  if (single === null && !leaveParametrized)
    throw new Error(
      `removeParametrizations: "${name}" comes of several tensors, so there is no original to leave`,
    );
  const parameter = single ?? new Parameter(list.forward());
  if (single !== null && leaveParametrized) single.assign(list.forward().detach());
  Object.defineProperty(module, name, {
    configurable: true,
    enumerable: true,
    writable: true,
    value: parameter,
  });
  const fields = module as unknown as Fields;
  delete (fields.parametrizations as unknown as Fields)[name];
  if (fields.parametrizations!.children().length === 0) delete fields.parametrizations;
  return module;
}
