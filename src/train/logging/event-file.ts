/** One of TensorBoard's event files: events are collected, and written when there are many or the last write is long ago. */

import { AppendFile } from "./append-file.ts";
import { encodeEvent, FILE_VERSION, frameRecord, type FileEvent } from "./event-records.ts";

/** Where and how event files are written. */
export interface EventFileOptions {
  /** Longest time, in seconds, that an event waits before it is written; 10 unless given. */
  readonly flushSeconds?: number;
  /** Steps from this one on, of earlier files in the folder, are void: a run goes on there. */
  readonly purgeStep?: number;
  /** Added to the file's name. */
  readonly fileNameSuffix?: string;
}

const FLUSH_BYTES = 64 * 1024;
let filesMade = 0;

export class EventFile {
  readonly #folder: string;
  readonly #options: EventFileOptions;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #file: Promise<AppendFile> | null = null;
  /** Writes that are under way, one after the other. */
  #writing: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** The file is made when it is first written to. */
  constructor(folder: string, options: EventFileOptions = {}) {
    this.#folder = folder;
    this.#options = options;
    const wallTime = Date.now() / 1000;
    this.add({ wallTime, step: 0, content: { fileVersion: FILE_VERSION } });
    const { purgeStep } = options;
    if (purgeStep !== undefined)
      this.add({ wallTime, step: purgeStep, content: { sessionStart: true } });
  }

  /** Takes up an event; what goes wrong when it is written is told by {@link flush}. */
  add(event: FileEvent): void {
    const record = frameRecord(encodeEvent(event));
    this.#waiting.push(record);
    this.#waitingBytes += record.length;
    if (this.#waitingBytes >= FLUSH_BYTES) this.#write();
    else if (this.#timer === undefined) {
      const { flushSeconds = 10 } = this.#options;
      this.#timer = setTimeout(() => this.#write(), 1000 * flushSeconds);
      // A program may end without waiting for this; `close` writes what is left.
      if (typeof this.#timer === "object") this.#timer.unref();
    }
  }

  /** Writes what waits. @throws what has gone wrong since the last time. */
  async flush(): Promise<void> {
    this.#write();
    await this.#writing;
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== null) throw failure.error;
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      const file = await this.#file?.catch(() => null);
      this.#file = null;
      await file?.close();
    }
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const records = this.#waiting;
    if (records.length === 0) return;
    const piece = new Uint8Array(this.#waitingBytes);
    this.#waiting = [];
    this.#waitingBytes = 0;
    let at = 0;
    for (const record of records) {
      piece.set(record, at);
      at += record.length;
    }
    this.#writing = this.#writing.then(async () => {
      try {
        await (await (this.#file ??= this.#open())).append(piece);
      } catch (error) {
        this.#failure ??= { error };
      }
    });
  }

  async #open(): Promise<AppendFile> {
    const { hostname } = await import("node:os");
    const { nodeFileSystem } = await import("../file-system.ts");
    // TensorBoard reads files in the order of their names, so that one that goes on must come after those before it.
    const times = (await nodeFileSystem.list(this.#folder)).flatMap((name) => {
      const time = /^events\.out\.tfevents\.(\d+)\./.exec(name)?.[1];
      return time === undefined ? [] : [Number(time)];
    });
    const time = Math.max(Math.floor(Date.now() / 1000), ...times.map((t) => t + 1));
    const { fileNameSuffix = "" } = this.#options;
    const parts = [String(time).padStart(10, "0"), hostname(), process.pid, filesMade++];
    return AppendFile.open(
      `${this.#folder}/events.out.tfevents.${parts.join(".")}${fileNameSuffix}`,
    );
  }
}
