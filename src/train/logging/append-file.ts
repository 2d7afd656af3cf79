/** A file that only grows, by whole pieces: one that could not be written whole is taken back before the next. */

/** What is needed of an open file; Node's `FileHandle` is one. */
export interface AppendHandle {
  /** Writes some of the bytes at the file's end. */
  write(bytes: Uint8Array): Promise<{ readonly bytesWritten: number }>;
  truncate(length: number): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export class AppendFile {
  readonly #handle: AppendHandle;
  /** Bytes of the pieces that are whole. */
  #size: number;
  #isRagged = false;

  /** @param size bytes that the file has. */
  constructor(handle: AppendHandle, size: number) {
    this.#handle = handle;
    this.#size = size;
  }

  /** Opens a file in Node, made with the folders above it where it is missing. */
  static async open(path: string): Promise<AppendFile> {
    const { open } = await import("node:fs/promises");
    const paths = await import("node:path");
    const { nodeFileSystem } = await import("../file-system.ts");
    await nodeFileSystem.makeFolder(paths.dirname(path));
    const handle = await open(path, "a");
    return new AppendFile(handle, (await handle.stat()).size);
  }

  /** Appends a piece; throws where it could not be written, and then nothing of it stays. */
  async append(piece: Uint8Array): Promise<void> {
    await this.#mend();
    this.#isRagged = true;
    try {
      for (let at = 0; at < piece.length;) {
        const { bytesWritten } = await this.#handle.write(piece.subarray(at));
        if (!(bytesWritten > 0)) throw new Error("no more bytes could be written");
        at += bytesWritten;
      }
    } catch (error) {
      // Where this fails too, the next piece tries again before it is written.
      await this.#mend().catch(() => undefined);
      throw error;
    }
    this.#isRagged = false;
    this.#size += piece.length;
  }

  /** Returns once what was appended is on the disk. */
  async sync(): Promise<void> {
    await this.#handle.sync();
  }

  async close(): Promise<void> {
    try {
      await this.#mend();
    } finally {
      await this.#handle.close();
    }
  }

  async #mend(): Promise<void> {
    if (!this.#isRagged) return;
    await this.#handle.truncate(this.#size);
    this.#isRagged = false;
  }
}
