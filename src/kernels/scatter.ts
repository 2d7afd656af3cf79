/** Slices written over those that an index names, where they lie: the keys and values that a step of decoding adds. */

import { formatShape, numel, strides, type Shape } from "../graph/shape.ts";
import type { NodeProto } from "../onnx/proto.ts";
import {
  Assembler,
  r10,
  r11,
  r12,
  r13,
  r14,
  r15,
  r8,
  r9,
  rax,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
  type Gpr,
  type Label,
} from "./assembler.ts";
import { type Kernel, MOST_ELEMENTS } from "./kernel.ts";
import type { NodeKernel } from "./kernel-set.ts";
import { LANES, laneMask } from "./lanes.ts";
import { viewsOf } from "./moves.ts";
import type { Surroundings } from "./program.ts";
import { evenRuns, reshaped, type View, whole } from "./view.ts";

/** What a ScatterND does: data[index[i]] = source[i], a slice for each list of `depth` coordinates. */
export interface Scatter {
  readonly data: Shape;
  /** [...places, depth] */
  readonly index: Shape;
  /** What is written, place by place, as another tensor holds it; its dimensions may be others than the slices'. */
  readonly source: Pick<View, "offset" | "shape" | "strides">;
}

/** Registers that count, all of which callers want back: a source may have as many dimensions, once even ones are merged. */
const COUNTERS: readonly Gpr[] = [rbx, r12, r13, r14, r15];
/** How many places ahead, and how many bytes of each, to ask for: the slices lie far apart in memory. */
const PLACES_AHEAD = 2;
const MOST_AHEAD = 2048;
const CACHE_LINE = 64;

/** The kernel of a node that is written over its data; null for another node, and for one that no kernel does. */
export function scatterOf({ program, has }: Surroundings, node: NodeProto): NodeKernel | null {
  const [data, index, given] = node.inputs as [string, string, string];
  const [result] = node.outputs as [string];
  const isPlain = node.opType === "ScatterND" && node.attributes["reduction"] === undefined;
  const over = isPlain ? program.root(data) : null;
  if (over === null || program.overwrites.get(result) !== over) return null;
  const type = program.types.get(data);
  const places = program.types.get(index)?.shape;
  if (type?.dtype !== "float32" || places === undefined || numel(type.shape) >= MOST_ELEMENTS)
    return null;
  const slices = [...places.slice(0, -1), ...type.shape.slice(places.at(-1))];
  const own = program.root(given);
  for (const view of [...viewsOf(program, own), whole(given, slices)]) {
    const { source } = view;
    const root = program.root(source);
    // What waits for this node to have read a variable does not know of one that it would read instead.
    const isEarlier = root !== own && program.overwritten.has(root);
    if (!has(source) || root === over || isEarlier) continue;
    const { offset, shape, strides: steps } = reshaped(view, slices) ?? view;
    const scatter = { data: type.shape, index: places, source: { offset, shape, strides: steps } };
    const held = source === given ? slices : program.type(source).shape;
    if (levelsOf(scatter) === null || numel(held) >= MOST_ELEMENTS) continue;
    return {
      key: ["scatter", scatter, held],
      make: (name) => scatterKernel(name, scatter, held),
      inputs: [data, index, source],
    };
  }
  return null;
}

/** A loop: so many times, with a step of so many elements of the source. */
interface Level {
  readonly size: number;
  readonly stride: number;
}

/** The loops over places and, in a slice, over runs of so many elements; null where these do not follow each other. */
function levelsOf({ index, source }: Scatter): {
  readonly places: readonly Level[];
  readonly runs: readonly Level[];
  readonly length: number;
} | null {
  const count = numel(index.slice(0, -1));
  const sizes = source.shape.map((_, i) => numel(source.shape.slice(0, i + 1)));
  const rank = count === 1 ? 0 : sizes.indexOf(count) + 1;
  if (count > 1 && rank === 0) return null;
  const levels = (from: number, to?: number): Level[] =>
    evenRuns(source.shape.slice(from, to), [source.strides.slice(from, to)]).map(
      ({ size, strides: [stride] }) => ({ size, stride: stride! }),
    );
  const [places, runs] = [levels(0, rank), levels(rank)];
  const inner = runs.pop() ?? { size: 1, stride: 1 };
  if (inner.stride !== 1 || places.length + runs.length > COUNTERS.length) return null;
  return { places, runs, length: inner.size };
}

/** The kernel, which writes nothing where a coordinate is out of range. */
export function scatterKernel(name: string, scatter: Scatter, held: Shape): Kernel {
  const { data, index } = scatter;
  return {
    name,
    inputs: [
      { dtype: "float32", shape: data },
      { dtype: "int64", shape: index },
      { dtype: "float32", shape: held },
    ],
    outputs: [{ dtype: "float32", shape: data }],
    parts: 1,
    failure: `a position to write at is not in a tensor of shape ${formatShape(data)}`,
    code: scatterCode(scatter),
  };
}

function scatterCode(scatter: Scatter): Uint8Array {
  const a = new Assembler();
  const { data, index, source } = scatter;
  const depth = index.at(-1)!;
  const levels = levelsOf(scatter);
  if (levels === null)
    throw new RangeError("scatter: the elements of a source's runs must follow each other");
  const { places, runs, length } = levels;
  const count = numel(index) / depth;
  const steps = strides(data).slice(0, depth);
  for (const register of COUNTERS) a.push(register);
  const [out, from, at, to, ahead, last] = [r8, r9, rdx, r10, rsi, r11];
  a.mov(r11, rdi);
  const [failed, end] = [a.label(), a.label()];

  /** A place's coordinate j, in rax, counted from the first. */
  const coordinate = (place: Gpr, j: number): void => {
    const positive = a.label();
    a.mov(rax, { base: place, offset: 8 * j });
    a.arithmeticImmediate("cmp", rax, 0);
    a.jump(positive, "atLeast");
    a.arithmeticImmediate("add", rax, data[j]!);
    a.bind(positive);
  };
  const times = (counter: Gpr, size: number, body: () => void): void => {
    const next = a.label();
    a.movImmediate(counter, size);
    a.bind(next);
    body();
    a.arithmeticImmediate("sub", counter, 1);
    a.jump(next, "notEqual");
  };

  if (count > 0) {
    a.mov(at, { base: r11, offset: 8 });
    times(rcx, count, () => {
      for (let j = 0; j < depth; j++) {
        coordinate(at, j);
        a.arithmeticImmediate("cmp", rax, 0);
        a.jump(failed, "less");
        a.arithmeticImmediate("cmp", rax, data[j]!);
        a.jump(failed, "atLeast");
      }
      a.arithmeticImmediate("add", at, 8 * depth);
    });
  }
  copyUnlessSame(a, numel(data));

  a.mov(at, { base: r11, offset: 8 });
  a.mov(from, { base: r11, offset: 16 });
  a.mov(out, { base: r11, offset: 24 });
  a.lea(last, { base: at, offset: 8 * depth * (count - 1) });
  if (source.offset > 0) a.arithmeticImmediate("add", from, 4 * source.offset);
  const left = length % LANES;
  const [value, mask] = [0, 1];
  if (left > 0) a.two("vmovups", mask, a.constant(laneMask(left)));
  const run = (): void => {
    if (length >= LANES) {
      const next = a.label();
      a.movImmediate(rcx, 0);
      a.bind(next);
      a.two("vmovups", value, { base: from, index: rcx, scale: 4 });
      a.vstore({ base: to, index: rcx, scale: 4 }, value);
      a.arithmeticImmediate("add", rcx, LANES);
      a.arithmeticImmediate("cmp", rcx, length - left);
      a.jump(next, "less");
    }
    const rest = 4 * (length - left);
    if (left > 0) {
      a.vmaskLoad(value, mask, { base: from, offset: rest });
      a.vmaskStore({ base: to, offset: rest }, mask, value);
    }
    a.arithmeticImmediate("add", to, 4 * length);
  };
  /** The address of a place. */
  const address = (of: Gpr, place: Gpr): void => {
    a.mov(of, out);
    for (let j = 0; j < depth; j++) {
      coordinate(place, j);
      a.multiply(rax, rax, 4 * steps[j]!);
      a.arithmetic("add", of, rax);
    }
  };
  const counters = [...COUNTERS];
  /** Runs a body for all places of these dimensions of the source. */
  const over = ([level, ...inner]: readonly Level[], body: () => void): void => {
    if (level === undefined) return body();
    times(counters.shift()!, level.size, () => {
      over(inner, body);
      a.arithmeticImmediate("add", from, 4 * level.stride);
    });
    a.arithmeticImmediate("sub", from, 4 * level.size * level.stride);
  };
  if (numel(source.shape) > 0)
    over(places, () => {
      const known = a.label();
      a.lea(ahead, { base: at, offset: 8 * depth * PLACES_AHEAD });
      a.arithmetic("cmp", ahead, last);
      a.jump(known, "less");
      a.mov(ahead, last);
      a.bind(known);
      address(to, ahead);
      const bytes = 4 * steps.at(-1)!;
      for (let byte = 0; byte < Math.min(bytes, MOST_AHEAD); byte += CACHE_LINE)
        a.prefetchToWrite({ base: to, offset: byte });
      address(to, at);
      a.arithmeticImmediate("add", at, 8 * depth);
      over(runs, run);
    });
  a.movImmediate(rax, 0);
  a.jump(end);
  a.bind(failed);
  a.movImmediate(rax, 1);
  a.bind(end);
  for (const register of COUNTERS.toReversed()) a.pop(register);
  a.vzeroupper();
  a.ret();
  return a.finish();
}

/** The data as they are, where the result does not lie in their place. */
function copyUnlessSame(a: Assembler, count: number): void {
  const same: Label = a.label();
  a.mov(rsi, { base: r11 });
  a.mov(rdi, { base: r11, offset: 24 });
  a.arithmetic("cmp", rsi, rdi);
  a.jump(same, "equal");
  a.movImmediate(rcx, count);
  a.copyElements();
  a.bind(same);
}
