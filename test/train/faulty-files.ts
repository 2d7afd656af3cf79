/** A file system in memory that fails where a test wants it to, and knows what of it would survive a loss of power. */
import type { FileSystem, WritableFile } from "../../src/train/index.ts";

/** What a call does instead of its work: throw, or write only some of the bytes. */
export type Fault = { readonly throws: string } | { readonly writesOnly: number };

const systemError = (code: string): Error =>
  Object.assign(new Error(`${code}: it failed`), { code });
const missing = (): Error => systemError("ENOENT");

export class FaultyFiles implements FileSystem {
  readonly #files = new Map<string, Uint8Array>();
  readonly #folders = new Set<string>(["."]);
  readonly #synced = new Set<string>();
  /** Calls that change something, by name and path. */
  readonly calls: string[] = [];
  /** Asked at each of those calls. */
  fault: (call: number, name: string, path: string) => Fault | undefined = () => undefined;

  #call(name: string, path: string): number {
    const fault = this.fault(this.calls.length, name, path);
    this.calls.push(`${name} ${path}`);
    if (fault === undefined) return Infinity;
    if ("throws" in fault) throw systemError(fault.throws);
    return fault.writesOnly;
  }

  /** Paths of all files and folders. */
  get paths(): string[] {
    return [...this.#files.keys(), ...this.#folders].filter((path) => path !== ".").sort();
  }

  /** Files that were not flushed. */
  get unsynced(): string[] {
    return [...this.#files.keys()].filter((path) => !this.#synced.has(path));
  }

  change(path: string, change: (bytes: Uint8Array) => Uint8Array | null): void {
    const changed = change(this.#files.get(path)!);
    if (changed === null) this.#files.delete(path);
    else this.#files.set(path, changed);
  }

  makeFolder(path: string): Promise<void> {
    return later(() => {
      if (this.#folders.has(path)) return;
      this.#call("makeFolder", path);
      this.#folders.add(path);
    });
  }

  list(path: string): Promise<string[]> {
    const below = this.paths.filter((each) => each.startsWith(`${path}/`));
    const names = below.map((each) => each.slice(path.length + 1).split("/")[0]!);
    return Promise.resolve([...new Set(names)]);
  }

  read(path: string): Promise<Uint8Array> {
    return later(() => {
      const bytes = this.#files.get(path);
      if (bytes === undefined) throw missing();
      return bytes.slice();
    });
  }

  create(path: string): Promise<WritableFile> {
    return later(() => {
      this.#call("create", path);
      if (this.#files.has(path)) throw systemError("EEXIST");
      this.#files.set(path, new Uint8Array());
      return {
        write: (bytes) =>
          later(() => {
            const part = bytes.subarray(0, this.#call("write", path));
            this.#files.set(path, Uint8Array.from([...this.#files.get(path)!, ...part]));
            return part.length;
          }),
        sync: () => later(() => (this.#call("sync", path), void this.#synced.add(path))),
        close: () => later(() => void this.#call("close", path)),
      };
    });
  }

  syncFolder(path: string): Promise<void> {
    return later(() => void this.#call("syncFolder", path));
  }

  rename(from: string, to: string): Promise<void> {
    return later(() => {
      this.#call("rename", `${from} → ${to}`);
      if (this.paths.some((path) => path.startsWith(`${to}/`))) throw systemError("ENOTEMPTY");
      const moved = (path: string): string => to + path.slice(from.length);
      const inside = (path: string): boolean => path === from || path.startsWith(`${from}/`);
      for (const [path, bytes] of [...this.#files]) {
        if (!inside(path)) continue;
        this.#files.delete(path);
        this.#files.set(moved(path), bytes);
        if (this.#synced.delete(path)) this.#synced.add(moved(path));
      }
      for (const path of [...this.#folders])
        if (inside(path)) this.#folders.add(moved(path)).delete(path);
    });
  }

  remove(path: string): Promise<void> {
    return later(() => {
      const inside = (each: string): boolean => each === path || each.startsWith(`${path}/`);
      if (!this.paths.some(inside)) return;
      this.#call("remove", path);
      for (const each of [...this.#files.keys()]) if (inside(each)) this.#files.delete(each);
      for (const each of [...this.#folders]) if (inside(each)) this.#folders.delete(each);
    });
  }
}

/** As a disk answers: not at once, and by a rejected promise. */
async function later<T>(work: () => T): Promise<T> {
  await Promise.resolve();
  return work();
}
