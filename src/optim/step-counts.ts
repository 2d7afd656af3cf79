/** Counts the steps of an optimizer's parameters, as one number for all that have been updated equally often. */

import { tensor } from "../creation.ts";
import { isHost } from "../engine.ts";
import type { Tensor } from "../tensor.ts";
import { guard } from "../trace.ts";

/** Parameters that have taken the same steps. */
interface Cohort {
  /** Their number of steps, float32 []. */
  readonly steps: Tensor;
  params: readonly Tensor[];
  started: boolean;
}

/**
 * PyTorch counts steps for each parameter. Parameters that get a gradient in the same steps share a count here, so that
 * bias corrections are computed once; a cohort splits when some of its parameters get no gradient.
 */
export class StepCounts {
  #cohorts: Cohort[];
  /** Counts for cohorts that split off. They exist before, since a compiled function can only assign what is outside. */
  #spare: Tensor[];
  /** Changes whenever programs that were traced before count wrongly. */
  #version = 0;

  constructor(params: readonly Tensor[]) {
    this.#cohorts = [{ steps: tensor(0), params, started: false }];
    this.#spare = params.slice(1).map(() => tensor(0));
  }

  /** Counts one step of the parameters given, and returns them by count. */
  advance(active: readonly Tensor[]): readonly Readonly<Cohort>[] {
    const version = this.#version;
    guard(() => this.#version === version);
    const chosen = new Set(active);
    const moving: Cohort[] = [];
    for (const cohort of [...this.#cohorts]) {
      const idle = cohort.params.filter((p) => !chosen.has(p));
      if (idle.length === cohort.params.length) continue;
      if (idle.length > 0) this.#splitOff(cohort, idle);
      cohort.started = true;
      cohort.steps.assign(cohort.steps.add(1));
      moving.push(cohort);
    }
    return moving;
  }

  #splitOff(cohort: Cohort, params: readonly Tensor[]): void {
    const steps = this.#spare.pop()!;
    if (cohort.started) {
      // Only this run copies the count; the next one needs another program.
      steps.assign(cohort.steps.detach());
      this.#version++;
    }
    cohort.params = cohort.params.filter((p) => !params.includes(p));
    this.#cohorts.push({ steps, params, started: cohort.started });
  }

  /** Snapshots of the counts of all parameters that have taken a step. */
  snapshot(): Map<Tensor, Tensor> {
    const counts = new Map<Tensor, Tensor>();
    for (const { steps, params, started } of this.#cohorts) {
      const count = steps.detach();
      if (started) for (const p of params) counts.set(p, count);
    }
    return counts;
  }

  /** Takes over counts: null for parameters that have taken no step. */
  load(counts: ReadonlyMap<Tensor, Tensor | null>): void {
    // Counts are equal where their numbers are known and the same, or where they are one tensor.
    const parts = new Map<unknown, { count: Tensor | null; params: Tensor[] }>();
    for (const [p, count] of counts) {
      const storage = count?.value.storage;
      const key = storage && isHost(storage) ? Number(storage.host[0]) : count;
      const part = parts.get(key) ?? { count, params: [] };
      part.params.push(p);
      parts.set(key, part);
    }
    this.#cohorts = Array.from(parts.values(), ({ count, params }) => ({
      steps: tensor(0).assign(count === null ? tensor(0) : count.detach().cast("float32")),
      params,
      started: count !== null,
    }));
    this.#spare = Array.from({ length: counts.size - parts.size }, () => tensor(0));
    this.#version++;
  }
}
