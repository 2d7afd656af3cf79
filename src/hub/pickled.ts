/** What the pickle machine builds, before it is turned into plain values. */
import { FormatError } from "./format-error.ts";

/** What stands on the machine's stack. Dicts, sets and tuples stay as they were built until all of it is known. */
export type Pickled =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | Pickled[]
  | PickledTuple
  | PickledDict
  | PickledSet
  | PickledObject;

export class PickledTuple {
  readonly items: readonly Pickled[];
  constructor(items: readonly Pickled[]) {
    this.items = items;
  }
}

export class PickledDict {
  readonly pairs: (readonly [Pickled, Pickled])[] = [];
}

export class PickledSet {
  readonly items: Pickled[];
  constructor(items: Pickled[]) {
    this.items = items;
  }
}

/** Something that the owner of the machine allows: a function or class by name, or what one made. */
export abstract class PickledObject {
  abstract readonly name: string;

  /** The result of calling it. */
  call(_args: readonly Pickled[]): Pickled {
    throw new FormatError(`pickle: ${this.name} is called, which is no function`);
  }

  /** Takes over the state that the pickle gives it. */
  build(_state: Pickled): void {
    throw new FormatError(`pickle: ${this.name} is given a state, which it has not`);
  }
}
