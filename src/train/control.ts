/** Pausing, resuming and ending a run from outside, seen by the run between its steps. */

/** How a run is to end. */
export type Ending = "stopped" | "aborted";

export class Control {
  #paused = false;
  #ending: Ending | null = null;
  #wake: (() => void) | null = null;

  get paused(): boolean {
    return this.#paused && this.#ending === null;
  }

  /** Null while it is to go on. */
  get ending(): Ending | null {
    return this.#ending;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake?.();
  }

  /** The first way to end counts, save that an abort overrules. */
  end(how: Ending): void {
    if (this.#ending !== "aborted") this.#ending = how === "aborted" ? how : (this.#ending ?? how);
    this.#wake?.();
  }

  /** Resolves once it is no longer paused. */
  async goesOn(): Promise<void> {
    while (this.paused) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = null;
  }
}
