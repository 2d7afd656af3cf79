/** The Trainer: runs a training and tells how it goes, over pieces that a loop written by hand can use as well. */

import { ReduceLROnPlateau } from "../optim/plateau.ts";
import { defaultGenerator, manualSeed } from "../random.ts";
import { Audience } from "./audience.ts";
import { listOf } from "./checkpoint.ts";
import { Control } from "./control.ts";
import { checkMetrics, whileEvaluating } from "./evaluating.ts";
import type { EndEvent, EndReason, LoggedImage, TrainingEvent, WarningEvent } from "./events.ts";
import { Ledger } from "./ledger.ts";
import { RunCheckpoints } from "./run-checkpoints.ts";
import { RunState } from "./run-state.ts";
import {
  checkFinite,
  describeNonFinite,
  explainMemory,
  namedParameters,
  NonFiniteError,
  type Named,
} from "./safety.ts";
import { programOf, type StepProgram } from "./step-program.ts";
import { Stopwatch } from "./stopwatch.ts";
import {
  checkTrainerOptions,
  type Every,
  type Progress,
  type TrainerOptions,
  type TrainingBatch,
} from "./trainer-options.ts";
import { Watch } from "./watch.ts";

/** Batches of one update, and where the data stood behind them. */
interface Group<B> {
  readonly batches: readonly TrainingBatch<B>[];
  readonly cursor: unknown;
}

/** The events of a run, as they come. */
export type Events = AsyncGenerator<TrainingEvent, void, void>;

/**
 * Trains a model: `for await (const event of new Trainer({ … }).run())`, or `await trainer.train()`. In each step, in this
 * order: the update; the schedule; every `loggingSteps` a step event; the evaluation, when it is due; a checkpoint, when
 * it is due. Every piece is public by itself: `lossStep`, `saveCheckpoint`, `Watch`, `Meters`, ….
 */
export class Trainer<B> {
  readonly options: TrainerOptions<B>;
  readonly #parameters: Named;
  readonly #program: StepProgram<B>;
  readonly #control = new Control();
  readonly #state = new RunState();
  readonly #ledger: Ledger;
  readonly #watch: Watch | null;
  readonly #checkpoints: RunCheckpoints<B>;
  readonly #audience: Audience;
  #stopwatch = new Stopwatch();
  #started = false;
  #reason: EndReason | null = null;
  /** Learning rate of the last update. */
  #lr = 0;
  /** The step whose checkpoint was the last to be written or taken up. */
  #savedStep = -1;

  /** Throws for options that are missing, unknown or contradict each other. */
  constructor(options: TrainerOptions<B>) {
    checkTrainerOptions(options);
    this.options = options;
    this.#parameters = namedParameters(options.model);
    this.#program = programOf(options, this.#parameters);
    const names = this.#parameters.map(([name]) => name);
    this.#ledger = new Ledger({ names, sumsOf: options.loss ? "gradient" : "value" });
    this.#watch = options.watch === undefined ? null : new Watch(options.watch);
    this.#checkpoints = new RunCheckpoints(options);
    this.#audience = new Audience(options.callbacks, options.loggers);
  }

  /** Updates made so far. */
  get step(): number {
    return this.#state.step;
  }

  /** Epochs so far, as a fraction where the data's length is known. */
  get epoch(): number {
    return this.#state.epoch;
  }

  /** Updates there will be in all; null where the data's length is not known. */
  get steps(): number | null {
    const { maxSteps, epochs, accumulate = 1, data } = this.options;
    const perEpoch = data.batchesPerEpoch;
    const byEpochs =
      epochs === undefined || perEpoch === null ? null : epochs * Math.ceil(perEpoch / accumulate);
    return maxSteps === undefined ? byEpochs : Math.min(maxSteps, byEpochs ?? Infinity);
  }

  /** Waits before the next step, until `resume` or `stop`. */
  pause(): void {
    this.#control.pause();
  }

  /** Goes on after `pause`. */
  resume(): void {
    this.#control.resume();
  }

  /** Ends the run before the next step, with a checkpoint. */
  stop(): void {
    this.#control.end("stopped");
  }

  /** Logs a distribution with the current step. */
  histogram(name: string, values: ArrayLike<number>): Promise<void> {
    return this.#audience.log((logger) => logger.histogram?.(this.step, name, values));
  }

  /** Logs an image with the current step. */
  image(name: string, image: LoggedImage): Promise<void> {
    return this.#audience.log((logger) => logger.image?.(this.step, name, image));
  }

  /** Logs a text with the current step. */
  text(name: string, text: string): Promise<void> {
    return this.#audience.log((logger) => logger.text?.(this.step, name, text));
  }

  /** Runs to the end and returns how it ended; throws as `run` does. */
  async train(): Promise<EndEvent> {
    let end: EndEvent | undefined;
    for await (const event of this.run()) if (event.type === "end") end = event;
    return end!;
  }

  /**
   * The run, as the events it makes; it goes on as they are taken. Leaving the loop ends the run without a checkpoint.
   * @throws NonFiniteError, OutOfMemoryError, CheckpointError, and what the step, the data or the evaluation throws.
   */
  async *run(): Events {
    if (this.#started) throw new Error("Trainer: it can run once; make another one");
    this.#started = true;
    const { signal } = this.options;
    const abort = (): void => this.#control.end("aborted");
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    let failed = false;
    try {
      yield* this.#begin();
      yield* this.#epochs();
      yield* this.#end();
    } catch (error) {
      failed = true;
      await this.#audience.fail(error);
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
      const closing = this.#audience.close();
      // What ended the run is thrown, whatever its loggers say.
      await (failed ? closing.catch(() => undefined) : closing);
    }
  }

  async *#begin(): Events {
    const { seed = null, epochs = null } = this.options;
    if (seed !== null) manualSeed(seed);
    for (const [, p] of this.#parameters) p.grad = null;
    const { from, state, damaged } = await this.#checkpoints.begin();
    if (state !== null) {
      this.#state.restore(state.all, state.own, this.#watch);
      this.#ledger.meters.loadStateDict(state.own.pending);
      this.options.data.seek(this.#state.cursor as never);
      this.#savedStep = this.step;
    }
    await checkFinite(this.#parameters, this.#state);
    this.#stopwatch = new Stopwatch();
    const parameters = this.#parameters.reduce((sum, [, p]) => sum + p.size, 0);
    const { step, steps, epoch } = this;
    const about = { step, steps, epochs, epoch, resumedFrom: from, seed, parameters };
    yield* this.#tell({ type: "start", ...about });
    for (const { message } of damaged)
      yield* this.#warn("checkpoint", `${message}; an older checkpoint is taken instead`);
    const isDone = (steps !== null && step >= steps) || (epochs !== null && epoch >= epochs);
    if (isDone) this.#reason = "finished";
    else if (this.#watch?.isOver) this.#reason = "earlyStopping";
  }

  async *#epochs(): Events {
    let empty = 0;
    while (this.#reason === null) {
      const { data, signal } = this.options;
      const iterator = data.epoch?.({ signal }) ?? data[Symbol.asyncIterator]();
      try {
        const steps = yield* this.#epochOf(iterator);
        // A cursor at the end of an epoch leaves nothing of it; two in a row are none at all.
        empty = steps === 0 ? empty + 1 : 0;
        if (empty > 1 && this.#reason === null)
          throw new Error("Trainer: the data gives no batches");
      } catch (error) {
        // How the wait for data ends when the run is aborted.
        if (!signal?.aborted || error !== signal.reason) throw error;
        this.#reason = "aborted";
      } finally {
        await iterator.return?.();
      }
    }
  }

  /** One epoch, or the rest of it; returns how many updates were made. */
  async *#epochOf(
    iterator: AsyncIterator<TrainingBatch<B>>,
  ): AsyncGenerator<TrainingEvent, number, void> {
    const { data } = this.options;
    let made = 0;
    let group = await this.#pull(iterator);
    while (group !== null) {
      yield* this.#waitWhilePaused();
      if (this.#reason !== null) break;
      await this.#update(group);
      made++;
      const last = group.batches.at(-1)!;
      // Whether the epoch ends is known from its length, or else from looking for more.
      const length = data.batchesPerEpoch;
      group = length === null ? await this.#pull(iterator) : null;
      const endsEpoch = length === null ? group === null : last.index + 1 >= length;
      yield* this.#afterUpdate(endsEpoch ? last.epoch : null);
      if (this.#reason !== null) break;
      group ??= await this.#pull(iterator);
    }
    return made;
  }

  /** The batches of the next update; null at the end of an epoch. */
  async #pull(iterator: AsyncIterator<TrainingBatch<B>>): Promise<Group<B> | null> {
    const batches: TrainingBatch<B>[] = [];
    while (batches.length < (this.options.accumulate ?? 1)) {
      const next = await iterator.next();
      if (next.done) break;
      batches.push(next.value);
    }
    return batches.length === 0 ? null : { batches, cursor: this.options.data.cursor() };
  }

  async *#waitWhilePaused(): Events {
    if (this.#control.paused) {
      yield* this.#tell({ type: "paused", step: this.step });
      await this.#stopwatch.idle(() => this.#control.goesOn());
      if (this.#control.ending === null) yield* this.#tell({ type: "resumed", step: this.step });
    }
    this.#reason = this.#control.ending;
  }

  async #update({ batches, cursor }: Group<B>): Promise<void> {
    const { optimizer, scheduleEvery = "step", data, callbacks = [] } = this.options;
    const state = this.#state;
    const step = state.step + 1;
    const { epoch, index } = batches.at(-1)!;
    try {
      const result = await this.#program(batches.map((batch) => batch.data));
      const indices = batches.map((batch) => batch.indices);
      this.#ledger.add({ step, epoch, indices, result });
    } catch (error) {
      const sizes = batches.map((batch) => batch.samples).join(" + ");
      throw explainMemory(error, `in step ${step}, with ${sizes} samples`);
    }
    this.#lr = listOf(optimizer)[0]?.paramGroups[0]?.lr ?? 0;
    if (scheduleEvery === "step") this.#stepSchedules();
    const samples = batches.reduce((sum, batch) => sum + batch.samples, 0);
    const tokens = batches.reduce((sum, batch) => sum + (batch.tokens ?? 0), 0);
    const perEpoch = data.batchesPerEpoch;
    state.step = step;
    state.epoch = perEpoch === null ? epoch : epoch + (index + 1) / perEpoch;
    state.cursor = cursor;
    state.samples += samples;
    state.tokens += tokens;
    this.#stopwatch.step(samples, tokens);
    for (const callback of callbacks) await callback.onUpdate?.(this.#progress);
  }

  get #progress(): Progress {
    return { step: this.step, epoch: this.epoch };
  }

  #stepSchedules(): void {
    for (const schedule of listOf(this.options.schedule))
      if (!(schedule instanceof ReduceLROnPlateau)) schedule.step();
  }

  /** `ended`: the epoch that the update was the last of. */
  async *#afterUpdate(ended: number | null): Events {
    const { epochs = Infinity, scheduleEvery, loggingSteps = 10, evaluate, output } = this.options;
    const { evalSteps = "epoch", saveSteps = "epoch" } = this.options;
    if (ended !== null) {
      this.#state.epoch = ended + 1;
      if (scheduleEvery === "epoch") this.#stepSchedules();
    }
    const isLast = this.step === this.steps || (ended !== null && ended + 1 >= epochs);
    const isDue = (every: Every): boolean =>
      isLast || (every === "epoch" ? ended !== null : this.step % every === 0);
    if (isDue(loggingSteps)) yield* this.#log();
    const isBest = evaluate !== undefined && isDue(evalSteps) && (yield* this.#evaluate());
    if (output !== undefined && (isBest || isDue(saveSteps))) yield* this.#save(isBest);
    if (isLast) this.#reason = "finished";
  }

  async *#log(): Events {
    yield* this.#settle();
    const { loss = NaN, ...metrics } = this.#ledger.meters.take();
    const { step, steps, epoch } = this;
    const lr = this.#lr;
    const { gradNorm, ...others } = metrics;
    const norm = gradNorm === undefined ? {} : { grad_norm: gradNorm };
    this.#state.history.push({ epoch, ...norm, learning_rate: lr, loss, ...others, step });
    yield* this.#tell({
      type: "step",
      ...{ step, steps, epoch, loss, lr, metrics },
      ...this.#stopwatch.take(),
      memoryBytes: memoryOfProcess(),
      seconds: this.#stopwatch.seconds,
      etaSeconds: steps === null ? null : this.#stopwatch.secondsFor(steps - step),
    });
  }

  /** Waits for the updates made so far and looks whether they were finite. */
  async *#settle(): Events {
    const found = await this.#ledger.read().catch((error: unknown) => {
      throw explainMemory(error, `in step ${this.step} or shortly before`);
    });
    for (const each of found) {
      if (this.options.onNonFinite !== "skip") throw new NonFiniteError(each);
      this.#state.skipped++;
      yield* this.#warn("nonFinite", `${describeNonFinite(each)}; the update was left out`);
    }
  }

  /** Evaluates and returns whether that was the best so far. */
  async *#evaluate(): AsyncGenerator<TrainingEvent, boolean, void> {
    yield* this.#settle();
    const { evaluate, model, average, schedule, generators = {} } = this.options;
    const evaluated = {
      models: listOf(model),
      averages: listOf(average),
      generators: [defaultGenerator, ...Object.values(generators)],
    };
    const { result: metrics, seconds } = await this.#stopwatch.idle(() =>
      whileEvaluating(evaluated, () => evaluate!(this.#progress)),
    );
    checkMetrics(metrics);
    const { best, stop } = this.#watch?.judge(metrics) ?? { best: false, stop: false };
    if (best) this.#state.bestStep = this.step;
    if (stop) this.#reason = "earlyStopping";
    const watched = this.#watch === null ? undefined : metrics[this.#watch.metric];
    if (watched !== undefined)
      for (const each of listOf(schedule))
        if (each instanceof ReduceLROnPlateau) each.step(watched);
    const { epoch, step } = this;
    const entries = Object.entries(metrics).map(([name, value]) => [`eval_${name}`, value]);
    this.#state.history.push({
      epoch,
      ...(Object.fromEntries(entries) as Record<string, number>),
      step,
    });
    yield* this.#tell({ type: "evaluation", step, epoch, metrics, best, seconds });
    return best;
  }

  async *#save(best: boolean): Events {
    yield* this.#settle();
    await checkFinite(this.#parameters, this.#state);
    if (best) this.#state.bestFolder = this.#checkpoints.folderOf(this.step);
    const { options, steps } = this;
    const pending = this.#ledger.meters.stateDict();
    const state = this.#state.toTrainerState({ options, steps, watch: this.#watch, pending });
    const saving = await this.#stopwatch.idle(() => this.#checkpoints.save(state));
    const { folder, removed, problem } = saving.result;
    const { step, epoch } = this;
    this.#savedStep = step;
    yield* this.#tell({
      type: "checkpoint",
      ...{ step, epoch, folder, best, removed },
      seconds: saving.seconds,
    });
    if (problem !== null) yield* this.#warn("checkpoint", problem);
  }

  async *#end(): Events {
    const reason = this.#reason ?? "finished";
    const saves = this.options.output !== undefined && reason !== "aborted";
    if (reason !== "aborted") yield* this.#settle();
    if (saves && this.#savedStep !== this.step && this.step > 0) yield* this.#save(false);
    const { step, epoch } = this;
    const { padding } = this.options.data;
    yield* this.#tell({
      type: "end",
      ...{ reason, step, epoch },
      seconds: this.#stopwatch.seconds,
      skipped: this.#state.skipped,
      ...(padding && padding.padded > 0 ? { padding: 1 - padding.real / padding.padded } : {}),
      bestMetric: this.#watch?.best ?? null,
      bestCheckpoint: this.#state.bestFolder,
      lastCheckpoint: this.#checkpoints.last,
    });
  }

  #warn(kind: WarningEvent["kind"], message: string): Events {
    return this.#tell({ type: "warning", step: this.step, kind, message });
  }

  async *#tell(event: TrainingEvent): Events {
    await this.#audience.tell(event);
    yield event;
    for (const problem of this.#audience.problems()) yield* this.#warn("logger", problem);
  }
}

/** Memory of the process, where that can be known. */
function memoryOfProcess(): number {
  const { process } = globalThis as { process?: Partial<NodeJS.Process> };
  return process?.memoryUsage?.rss() ?? 0;
}
