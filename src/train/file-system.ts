/** The file system as checkpoints use it: an interface that tests can make fail, and Node's. */

/** A file being written. */
export interface WritableFile {
  /** Writes some of the bytes, at least one, and returns how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Returns once what was written is on the disk. */
  sync(): Promise<void>;
  /** Closes the file. */
  close(): Promise<void>;
}

/** What checkpoints need of a file system; {@link nodeFileSystem} is one. Paths are joined with "/". */
export interface FileSystem {
  /** Makes a folder and those above it; one that is there is left. */
  makeFolder(path: string): Promise<void>;
  /** Names of the entries of a folder; none where there is no such folder. */
  list(path: string): Promise<string[]>;
  /** All bytes of a file; throws where there is none. */
  read(path: string): Promise<Uint8Array>;
  /** Opens a new file for writing. */
  create(path: string): Promise<WritableFile>;
  /** Returns once the names in a folder are on the disk. */
  syncFolder(path: string): Promise<void>;
  /** Moves a file or folder, over a file that is there. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a folder with all in it, where there is one. */
  remove(path: string): Promise<void>;
}

/** Most bytes of one write: larger ones than 2 GiB are refused by Node. */
const CHUNK = 2 ** 24;

/** Writes a new file whole, onto the disk. */
export async function writeFile(
  files: FileSystem,
  path: string,
  content: Uint8Array,
): Promise<void> {
  const file = await files.create(path);
  try {
    for (let at = 0; at < content.length;) {
      const written = await file.write(content.subarray(at, at + CHUNK));
      if (!(written > 0)) throw new Error("no more bytes could be written");
      at += written;
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Node's file system. */
export const nodeFileSystem: FileSystem = {
  async makeFolder(path) {
    const { mkdir, stat } = await import("node:fs/promises");
    const paths = await import("node:path");
    // Node's own recursive form never returns for a folder in /proc, where making one fails with ENOENT.
    const make = async (folder: string): Promise<void> => {
      const found = await stat(folder).catch(() => undefined);
      if (found?.isDirectory()) return;
      const parent = paths.dirname(folder);
      if (parent !== folder) await make(parent);
      // Another writer of the same run may have made it meanwhile.
      await mkdir(folder).catch((error: unknown) => {
        if (codeOf(error) !== "EEXIST") throw error;
      });
    };
    await make(paths.resolve(path));
  },
  async list(path) {
    const { readdir } = await import("node:fs/promises");
    try {
      return await readdir(path);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return [];
      throw error;
    }
  },
  async read(path) {
    const { readFile } = await import("node:fs/promises");
    return readFile(path);
  },
  async create(path) {
    const { open } = await import("node:fs/promises");
    const handle = await open(path, "wx");
    return {
      write: async (bytes) => (await handle.write(bytes)).bytesWritten,
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },
  async syncFolder(path) {
    // Windows neither opens folders nor needs it.
    if (process.platform === "win32") return;
    const { open } = await import("node:fs/promises");
    const handle = await open(path, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  async rename(from, to) {
    const { rename } = await import("node:fs/promises");
    await rename(from, to);
  },
  async remove(path) {
    const { rm } = await import("node:fs/promises");
    await rm(path, { recursive: true, force: true });
  },
};

/** The code of a system error, e.g. ENOSPC. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}
