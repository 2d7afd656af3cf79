/** The kernels that a program calls. */

import type { NodeProto } from "../onnx/proto.ts";
import { compileLoop } from "./compile.ts";
import type { GroupLoop } from "./group-loop.ts";
import { KERNEL_DOMAIN, type Kernel } from "./kernel.ts";

/** The kernels of a program, equal ones once. */
export class KernelSet {
  readonly #known = new Map<string, Kernel>();

  get all(): readonly Kernel[] {
    return [...this.#known.values()];
  }

  /** The kernel made before by an equal key, or a new one. */
  of(key: unknown, make: (name: string) => Kernel): Kernel {
    const text = JSON.stringify(key);
    let kernel = this.#known.get(text);
    if (kernel === undefined) {
      kernel = make(`kernel_${this.#known.size}`);
      this.#known.set(text, kernel);
    }
    return kernel;
  }

  ofLoop({ loop, inputTypes, outputTypes }: GroupLoop): Kernel {
    const { rows, columns, parts, inputs, results, formula } = loop;
    const key = [rows, columns, parts, inputs, results, formula.steps, inputTypes, outputTypes];
    return this.of(key, (name) => ({
      ...{ name, inputs: inputTypes, outputs: outputTypes, parts },
      code: compileLoop(loop),
    }));
  }
}

/** A kernel that does what one node does. */
export interface NodeKernel {
  /** Equal for equal kernels. */
  readonly key: unknown;
  readonly make: (name: string) => Kernel;
  readonly inputs: readonly string[];
}

/** The node that calls a kernel in place of another one. */
export const callOf = (
  node: NodeProto,
  kernel: Kernel,
  { inputs, outputs }: { readonly inputs: readonly string[]; readonly outputs: readonly string[] },
): NodeProto => ({
  ...{ name: `${node.name}/${kernel.name}`, opType: kernel.name, domain: KERNEL_DOMAIN },
  ...{ inputs, outputs, attributes: {} },
});
