/** Makes GPU tensors and moves them through graphs of one node, the only way that works in Node and in browsers. */

import type { InferenceSession, Tensor } from "onnxruntime-web";
import { hostArray, type DType } from "../graph/dtype.ts";
import { attr, encodeModel, type NodeProto } from "../onnx/proto.ts";
import { hostTensor, sessionDefaults, type OrtModule, type Transfer } from "./tensor-executor.ts";

/** A model of one node from x to y, of any shape. */
function oneNodeModel(
  opType: string,
  xType: DType,
  yType: DType,
  attributes: NodeProto["attributes"] = {},
): Uint8Array {
  return encodeModel({
    irVersion: 10,
    opsetImports: [{ domain: "", version: 18 }],
    producerName: "learning-loop",
    graph: {
      name: opType,
      nodes: [{ name: opType, opType, inputs: ["x"], outputs: ["y"], attributes }],
      initializers: [],
      inputs: [{ name: "x", dtype: xType, shape: opType === "ConstantOfShape" ? ["rank"] : null }],
      outputs: [{ name: "y", dtype: yType, shape: null }],
    },
  });
}

const copyModel = (dtype: DType) => oneNodeModel("Identity", dtype, dtype);

const zerosModel = (dtype: DType) =>
  oneNodeModel("ConstantOfShape", "int64", dtype, {
    value: attr.tensor({ name: "zero", dtype, shape: [1], data: hostArray(dtype, 1) }),
  });

/** A family of one-node sessions, one a dtype, each made when first needed. */
class Sessions {
  readonly #ort: OrtModule;
  readonly #options: InferenceSession.SessionOptions;
  readonly #model: (dtype: DType) => Uint8Array;
  readonly #sessions = new Map<DType, InferenceSession>();

  constructor(
    ort: OrtModule,
    model: (dtype: DType) => Uint8Array,
    options: InferenceSession.SessionOptions,
  ) {
    this.#ort = ort;
    this.#model = model;
    this.#options = options;
  }

  /** The node's result for `x`, put into `target` where that is not null. */
  async run(dtype: DType, x: Tensor, target: Tensor | null): Promise<Tensor> {
    let session = this.#sessions.get(dtype);
    if (session === undefined) {
      session = await this.#ort.InferenceSession.create(this.#model(dtype), this.#options);
      this.#sessions.set(dtype, session);
    }
    const { y } = await session.run({ x }, { y: target });
    return y as Tensor;
  }
}

class GraphTransfer implements Transfer {
  readonly #ort: OrtModule;
  readonly #zeros: Sessions;
  readonly #upload: Sessions;
  /** Its result is in host memory unless a device tensor is given for it. */
  readonly #copy: Sessions;

  /** `options` are those of a session on the GPU. */
  constructor(ort: OrtModule, options: InferenceSession.SessionOptions) {
    const staying = { ...options, preferredOutputLocation: "gpu-buffer" } as const;
    this.#ort = ort;
    this.#zeros = new Sessions(ort, zerosModel, staying);
    this.#upload = new Sessions(ort, copyModel, staying);
    this.#copy = new Sessions(ort, copyModel, options);
  }

  check(dtype: DType): void {
    if (dtype === "float64") {
      throw new Error(
        "device webgpu has no float64: cast to float32 or use the device cpu or wasm",
      );
    }
  }

  allocate(dtype: DType, shape: readonly number[]): Promise<Tensor> {
    const sizes = BigInt64Array.from(shape, BigInt);
    return this.#zeros.run(dtype, hostTensor(this.#ort, sizes, "int64", [shape.length]), null);
  }

  upload(tensor: Tensor): Promise<Tensor> {
    return this.#upload.run(tensor.type as DType, tensor, null);
  }

  async overwrite(target: Tensor, tensor: Tensor): Promise<void> {
    await this.#copy.run(tensor.type as DType, tensor, target);
  }

  read(tensor: Tensor): Promise<Tensor> {
    return this.#copy.run(tensor.type as DType, tensor, null);
  }
}

export interface WebGpuOptions {
  /** A program with an operator that would run on the CPU does not load; for tests. */
  readonly strict?: boolean;
}

/** What a `TensorExecutor` needs for WebGPU. Throws where there is no GPU that ONNX Runtime can use. */
export async function openWebGpu(
  ort: OrtModule,
  { inPlace, strict = false }: WebGpuOptions & { readonly inPlace: boolean },
): Promise<{ inPlace: boolean; session: InferenceSession.SessionOptions; transfer: Transfer }> {
  const options: InferenceSession.SessionOptions = {
    ...sessionDefaults,
    executionProviders: [{ name: "webgpu", preferredLayout: "NCHW" }],
  };
  const transfer = new GraphTransfer(ort, options);
  try {
    (await transfer.allocate("float32", [1])).dispose();
  } catch (error) {
    throw new Error(
      "device webgpu: no GPU adapter found; install the GPU's Vulkan, Metal or Direct3D 12 driver, " +
        "enable WebGPU in the browser, or use the device cpu (in Node) or wasm",
      { cause: error },
    );
  }
  const session: InferenceSession.SessionOptions = {
    ...options,
    ...(strict && {
      extra: {
        ...sessionDefaults.extra,
        session: {
          ...(sessionDefaults.extra?.["session"] as object),
          disable_cpu_ep_fallback: "1",
        },
      },
    }),
    // Told to leave outputs on the GPU, a session ignores the tensors given for them.
    ...(!inPlace && { preferredOutputLocation: "gpu-buffer" as const }),
  };
  return { inPlace, session, transfer };
}
