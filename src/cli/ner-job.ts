/** What the `ner` command does in its worker: trains a tagger or loads one, measures it, reads a text, keeps the run. */
import type { AnnotatedDocument } from "../data/annotated.ts";
import type { RepairEntry } from "../data/repairs.ts";
import { entitiesOf, evaluateTagger, type Tagger } from "../tasks/ner/tagger.ts";
import type { TrainTaggerOptions } from "../tasks/ner/train.ts";
import type { RunControl, RunFunction } from "../train/worker-serve.ts";
import { stoppedEarly, unlessStopped, type JobEvent, type JobEvents, type Outcome } from "./job.ts";
import { loadAnnotated, loadDocuments } from "./ner-data.ts";
import { NER, type NerOptions } from "./ner-options.ts";
import { resultLine, type NerResult } from "./ner-report.ts";
import { evaluating } from "./resume.ts";
import {
  trainAndMeasure,
  useDevice,
  type Training,
  type TrainingJob,
  type UseDevice,
} from "./training-job.ts";

export interface NerJob extends TrainingJob<NerOptions> {
  /** The text to find entities in. */
  readonly text: string;
}

/** What came of it. */
export interface NerMeasured {
  readonly result: NerResult;
  /** What was measured on. */
  readonly documents: string;
  /** True entities that begin or end inside a token. */
  readonly misaligned: number;
}

/** A training, as far as the command needs to know: `taggerTraining` gives one. */
export interface NerTraining extends Training {
  readonly tagger: Tagger;
}

/** Where taggers come from. */
export interface NerBackend {
  readonly train: (
    documents: readonly AnnotatedDocument[],
    options: TrainTaggerOptions,
  ) => NerTraining | Promise<NerTraining>;
  /** The tagger of a run or saved in a folder. @throws Error when there is none that can be used. */
  readonly load: (folder: string) => Promise<Tagger>;
  readonly useDevice: UseDevice;
}

type NerRun = RunFunction<NerJob, JobEvent, Outcome<NerMeasured>>;

/** The two things that the command can do. */
export function nerRuns(backend: NerBackend): { readonly train: NerRun; readonly read: NerRun } {
  return {
    train: (job, control) => trainTagger(job, control, backend),
    read: (job, control) => loadAndMeasure(job, control, backend),
  };
}

// The engine is loaded when the data has been found to be good.
export const { train, read } = nerRuns({
  train: async (documents, options) =>
    (await import("../tasks/ner/train.ts")).taggerTraining(documents, options),
  load: async (folder) => (await import("../tasks/ner/load-tagger.ts")).loadTagger(folder),
  useDevice,
});

function trainTagger(
  job: NerJob,
  control: RunControl,
  backend: NerBackend,
): JobEvents<Outcome<NerMeasured>> {
  const { options, text } = job;
  const { data, seed } = options;
  return trainAndMeasure(
    {
      command: NER,
      useDevice: backend.useDevice,
      load: (tell) =>
        loadDocuments(data, {
          ...{ seed, validation: evaluating(options) },
          say: (line) => tell({ type: "note", text: line }),
        }),
      begin: ({ train, validation }, trainOptions) =>
        backend.train(train, { ...trainOptions, ...(validation && { validation }) }),
      modelOf: ({ tagger }: NerTraining) => tagger,
      measure: ({ tagger }, { heldOut, repairs }, { device, stopping }) => {
        const description = `${heldOut.length} documents held out`;
        const on = { documents: heldOut, description, repairs: repairs.entries() };
        return measureAndRead(tagger, { on, text, device }, stopping);
      },
      line: ({ result }) => resultLine(result),
    },
    job,
    control,
  );
}

async function* loadAndMeasure(
  { options, text }: NerJob,
  control: RunControl,
  backend: NerBackend,
): JobEvents<Outcome<NerMeasured>> {
  const { model = "", data } = options;
  const device = await backend.useDevice(options.device);
  const tagger = await backend.load(model);
  const early = stoppedEarly(tagger.training);
  const notes = [`${model}: a model of ${tagger.labels.length} labels${early}`];
  let on: Measure | null = null;
  if (data !== undefined) {
    const { documents, repairs } = await loadAnnotated(data, (line) => void notes.push(line));
    const description = `all ${documents.length} documents of ${data}`;
    on = { documents, description, repairs: repairs.entries() };
  }
  for (const note of notes) yield { type: "note", text: note };
  const result = await measureAndRead(tagger, { on, text, device }, control.stopping);
  if (result === null) return { type: "stopped", extent: undefined, device, wrote: null };
  return { type: "result", result, wrote: null };
}

/** Documents to measure on, and how to call them. */
interface Measure {
  readonly documents: readonly AnnotatedDocument[];
  readonly description: string;
  readonly repairs: readonly RepairEntry[];
}

/** Null where it was stopped. */
function measureAndRead(
  tagger: Tagger,
  { on, text, device }: { on: Measure | null; text: string; device: string },
  stopping: AbortSignal,
): Promise<NerMeasured | null> {
  return unlessStopped(stopping, async () => {
    const evaluation = on && (await evaluateTagger(tagger, on.documents, stopping));
    const [tagged] = await tagger.tag([text], stopping);
    const measured =
      evaluation === null || on === null
        ? undefined
        : { report: evaluation.report, repairs: on.repairs };
    return {
      result: { measured, entities: tagged ? entitiesOf(tagged) : [], device },
      documents: on?.description ?? "",
      misaligned: evaluation?.misaligned ?? 0,
    };
  });
}
