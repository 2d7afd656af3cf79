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

/**
 * Chooses the device that everything evaluated from now on runs on. Tensors move to it when they are next used.
 * Throws when the device is not there, saying what is missing; the device in use stays chosen.
 */
export async function setDevice(name: DeviceName, options: ExecutorOptions = {}): Promise<void> {
  const executor = await createExecutor(parseDevice(name), options);
  current = executor;
  chosen = Promise.resolve(executor);
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
    current = await createExecutor(wanted ? parseDevice(wanted) : defaultDevice());
  } catch (error) {
    chosen = null;
    throw error;
  }
  return current;
}

/** The CPU in Node; WebAssembly in browsers, which is there without an adapter. */
const defaultDevice = (): DeviceName => (environment("PATH") === undefined ? "wasm" : "cpu");

/** A sentence about what runs programs now, e.g. for a log. */
export async function deviceDescription(): Promise<string> {
  return (await executor()).description;
}

/** What lowerings may use on an executor. */
export const targetOf = ({ device }: Executor): Target => ({
  gpu: device === "webgpu",
  contrib: true,
});
