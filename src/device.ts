/** The device that programs run on: chosen by `setDevice` or LEARNING_LOOP_DEVICE, made on first use. */

import type { Target } from "./graph/op.ts";
import { createExecutor, type ExecutorOptions } from "./runtime/index.ts";
import type { DeviceName, Executor } from "./runtime/executor.ts";

const NAMES: readonly DeviceName[] = ["cpu", "wasm", "webgpu"];

let chosen: Promise<Executor> | null = null;
let current: Executor | null = null;

const environment = (name: string): string | undefined =>
  typeof process === "undefined" ? undefined : process.env[name];

/** Reads a device name given by a user; throws an error that lists the names there are. */
export function parseDevice(name: string): DeviceName {
  const device = NAMES.find((known) => known === name);
  if (device === undefined)
    throw new Error(`device: unknown device "${name}", expected one of ${NAMES.join(", ")}`);
  return device;
}

/** How a device is made, and what happens where it is not there. */
export interface DeviceOptions extends ExecutorOptions {
  /** Warn and use the default device when the chosen one is not there (default); false: throw instead. */
  readonly fallback?: boolean;
}

/**
 * Chooses the device that everything evaluated from now on runs on, and returns the name of the one in use. Tensors move to
 * it when they are next used. When the device is not there (e.g. no WebGPU adapter) a warning says what is missing.
 */
export async function setDevice(
  name: DeviceName,
  options: DeviceOptions = {},
): Promise<DeviceName> {
  const made = await start(parseDevice(name), options);
  current = made;
  chosen = Promise.resolve(made);
  return made.device;
}

/** The executor in use; starts the default device on first use. */
export function executor(): Executor | Promise<Executor> {
  if (current !== null) return current;
  chosen ??= startDefault();
  return chosen;
}

async function startDefault(): Promise<Executor> {
  const wanted = environment("LEARNING_LOOP_DEVICE");
  try {
    current = await start(wanted ? parseDevice(wanted) : defaultDevice());
  } catch (error) {
    chosen = null;
    throw error;
  }
  return current;
}

async function start(
  device: DeviceName,
  { fallback = true, ...options }: DeviceOptions = {},
): Promise<Executor> {
  try {
    return await createExecutor(device, options);
  } catch (error) {
    const other = defaultDevice();
    if (!fallback || other === device) throw error;
    console.warn(`${(error as Error).message}\nUsing ${other} instead of ${device}.`);
    return createExecutor(other);
  }
}

/** The CPU in Node; WebAssembly in browsers, which is there without an adapter. */
const defaultDevice = (): DeviceName => (environment("PATH") === undefined ? "wasm" : "cpu");

/** A sentence about what runs programs now, e.g. for a log. */
export async function deviceDescription(): Promise<string> {
  return (await executor()).description;
}

/** What lowerings may use on an executor; kernels stay in caches by themselves, without tensors in pieces. */
export const targetOf = ({ device, piece = 0, fuse }: Executor): Target => ({
  gpu: device === "webgpu",
  contrib: true,
  ...(fuse === undefined ? { piece } : { kernels: true }),
});
