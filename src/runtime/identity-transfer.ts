/** Moves tensors to and from a GPU through graphs of one Identity node, the only way that works in Node and in browsers. */

import type { InferenceSession, Tensor } from "onnxruntime-web";
import type { DType } from "../graph/dtype.ts";
import { encodeModel } from "../onnx/proto.ts";
import type { OrtModule, Transfer } from "./tensor-executor.ts";

/** A model that copies a tensor of any shape. */
function identityModel(dtype: DType): Uint8Array {
  return encodeModel({
    irVersion: 10,
    opsetImports: [{ domain: "", version: 18 }],
    producerName: "learning-loop",
    graph: {
      name: "identity",
      nodes: [{ name: "copy", opType: "Identity", inputs: ["x"], outputs: ["y"], attributes: {} }],
      initializers: [],
      inputs: [{ name: "x", dtype, shape: null }],
      outputs: [{ name: "y", dtype, shape: null }],
    },
  });
}

/** One session a dtype, made when first needed. */
class Copier {
  readonly #ort: OrtModule;
  readonly #options: InferenceSession.SessionOptions;
  readonly #sessions = new Map<string, InferenceSession>();

  constructor(ort: OrtModule, options: InferenceSession.SessionOptions) {
    this.#ort = ort;
    this.#options = options;
  }

  /** Copies into `target`, or into a new tensor where that is null. */
  async copy(x: Tensor, target: Tensor | null): Promise<Tensor> {
    if (x.type === "float64") {
      throw new Error("WebGPU has no float64: cast to float32 or use the cpu device");
    }
    let session = this.#sessions.get(x.type);
    if (session === undefined) {
      session = await this.#ort.InferenceSession.create(
        identityModel(x.type as DType),
        this.#options,
      );
      this.#sessions.set(x.type, session);
    }
    const { y } = await session.run({ x }, { y: target });
    return y as Tensor;
  }
}

export class IdentityTransfer implements Transfer {
  readonly #up: Copier;
  readonly #down: Copier;

  /** `options` are those of a session on the GPU. */
  constructor(ort: OrtModule, options: InferenceSession.SessionOptions) {
    this.#up = new Copier(ort, { ...options, preferredOutputLocation: "gpu-buffer" });
    this.#down = new Copier(ort, { ...options, preferredOutputLocation: "cpu" });
  }

  upload(tensor: Tensor): Promise<Tensor> {
    return this.#up.copy(tensor, null);
  }

  async overwrite(target: Tensor, tensor: Tensor): Promise<void> {
    await this.#up.copy(tensor, target);
  }

  read(tensor: Tensor): Promise<Tensor> {
    return this.#down.copy(tensor, null);
  }
}

/**
 * Session options, transfer and executor settings of WebGPU. Throws where the machine has no GPU that ONNX Runtime can use.
 */
export async function openWebGpu(
  ort: OrtModule,
  defaults: InferenceSession.SessionOptions,
): Promise<{ session: InferenceSession.SessionOptions; transfer: Transfer }> {
  const options: InferenceSession.SessionOptions = {
    ...defaults,
    executionProviders: [{ name: "webgpu", preferredLayout: "NCHW" }],
  };
  const transfer = new IdentityTransfer(ort, options);
  const probe = new ort.Tensor("float32", new Float32Array(1), [1]);
  try {
    (await transfer.upload(probe)).dispose();
  } catch (error) {
    throw new Error(
      "device webgpu: no GPU adapter found; install the GPU's Vulkan, Metal or Direct3D 12 driver, " +
        "enable WebGPU in the browser, or use the device cpu (in Node) or wasm",
      { cause: error },
    );
  }
  return { session: { ...options, preferredOutputLocation: "gpu-buffer" }, transfer };
}
