/** Functions that run around a module's `forward`, however it is called, and what they are for: seeing activations. */

import { activeTrace, guard, outdateTraces } from "../trace.ts";
import type { Module } from "./module.ts";

/** What registering a hook returns. */
export interface HookHandle {
  /** Takes the hook away again. */
  remove(): void;
}

/** Sees, and by returning a value replaces, what `forward` returned. */
export type ForwardHook<M extends Module> = (
  module: M,
  inputs: Parameters<M["forward"]>,
  output: ReturnType<M["forward"]>,
) => unknown;

/** Sees what `forward` will be given, and replaces it by returning a list of inputs or a single one. */
export type ForwardPreHook<M extends Module> = (
  module: M,
  inputs: Parameters<M["forward"]>,
) => unknown;

type Hook = ForwardHook<Module>;
type PreHook = ForwardPreHook<Module>;
type Forward = (...inputs: never[]) => unknown;

/** @internal The hooks of one module, whose `forward` it wraps for good. */
export class Hooks {
  readonly #before = new Map<HookHandle, PreHook>();
  readonly #after = new Map<HookHandle, Hook>();
  /** Counts changes outside of traces; what is added and removed while one is recorded is part of it. */
  #version = 0;

  constructor(module: Module) {
    const forward: Forward = module.forward.bind(module);
    Object.defineProperty(module, "forward", {
      configurable: true,
      writable: true,
      value: (...given: never[]) => this.#run(module, forward, given),
    });
  }

  before(hook: PreHook): HookHandle {
    return this.#add(this.#before, hook);
  }

  after(hook: Hook): HookHandle {
    return this.#add(this.#after, hook);
  }

  #add<H>(hooks: Map<HookHandle, H>, hook: H): HookHandle {
    const handle = {
      remove: () => {
        if (hooks.delete(handle)) this.#changed();
      },
    };
    hooks.set(handle, hook);
    this.#changed();
    return handle;
  }

  #changed(): void {
    if (activeTrace() !== null) return;
    // Traces from before `forward` was wrapped do not watch the version.
    if (this.#version === 0) outdateTraces();
    this.#version++;
  }

  #run(module: Module, forward: Forward, given: never[]): unknown {
    const version = this.#version;
    guard(() => this.#version === version);
    let inputs = given;
    for (const hook of [...this.#before.values()]) {
      const changed = hook(module, inputs);
      if (changed !== undefined) inputs = (Array.isArray(changed) ? changed : [changed]) as never[];
    }
    let output = forward(...inputs);
    for (const hook of [...this.#after.values()]) {
      const changed = hook(module, inputs, output);
      if (changed !== undefined) output = changed;
    }
    return output;
  }
}

/**
 * Runs `run` and returns its result with the outputs of the modules of these dotted names ("" is the model itself), each
 * under its name; of a module that is called more than once, the last. Inside `compile` they are tensors of the compiled
 * function: return them from it. Throws for a name without module, and for a module that is not called.
 */
export function captureActivations<R, N extends string>(
  model: Module,
  names: readonly N[],
  run: () => R,
): { result: R; activations: Record<N, unknown> } {
  const found = new Map<N, unknown>();
  const handles = names.map((name) =>
    model.getSubmodule(name).registerForwardHook((_module, _inputs, output) => {
      found.set(name, output);
    }),
  );
  try {
    const result = run();
    const idle = names.find((name) => !found.has(name));
    if (idle !== undefined)
      throw new Error(`captureActivations: the module "${idle}" was not called`);
    return { result, activations: Object.fromEntries(found) as Record<N, unknown> };
  } finally {
    for (const handle of handles) handle.remove();
  }
}
