/** Which nodes of a program become one kernel: those whose tensors are walked over together. */

import type { TypeSpec } from "../graph/node.ts";
import { numel } from "../graph/shape.ts";
import type { NodeProto } from "../onnx/proto.ts";
import { innermost, stridesOf } from "./access.ts";
import { MOST_ELEMENTS } from "./kernel.ts";
import { readBy } from "./program.ts";
import { walkedOver, type Role } from "./roles.ts";

/** Shorter rows are not worth a loop of their own. */
const SHORTEST_ROW = 16;
/** Longer rows do not stay in the cache from one pass to the next. */
const LONGEST_ROW = 8192;
/** Nodes beyond which a kernel's code grows without gain. */
const MOST_NODES = 120;
/** What the registers have room for. */
const MOST_REDUCTIONS = 4;

/** Nodes that are computed in one walk over `size` elements. */
export interface Group {
  readonly nodes: readonly number[];
  readonly size: number;
  /** The length of rows, where reductions need one. */
  readonly columns: number | null;
  /** The shortest row along which all operands go on evenly. */
  readonly even: number;
  /** How many of the nodes are reductions of rows. */
  readonly reductions: number;
}

/** A program's nodes, in order, with what they could do in a kernel and the types of values. */
interface Grouping {
  readonly nodes: readonly NodeProto[];
  readonly roles: readonly (Role | null)[];
  readonly types: ReadonlyMap<string, TypeSpec>;
}

/** The groups of nodes, also those of a single one. */
export function planGroups({ nodes, roles, types }: Grouping): Group[] {
  const producer = new Map<string, number>();
  nodes.forEach(({ outputs }, i) => outputs.forEach((name) => producer.set(name, i)));
  const before = nodes.map((node) => [
    ...new Set(readBy(node).flatMap((name) => producer.get(name) ?? [])),
  ]);
  const after: number[][] = nodes.map(() => []);
  before.forEach((others, i) => others.forEach((other) => after[other]!.push(i)));
  const groupOf = new Map<number, Group>();
  /** A node's level is above those of all it needs, and that of all of its group. */
  const levels: number[] = [];
  const order: Order = { before, after, levels, groupOf };

  /** A node as a group of its own; null where it is too small, too large, or uneven. */
  const alone = (i: number, role: Role): Group | null => {
    const node = nodes[i]!;
    const type = types.get(walkedOver(node, role))!;
    const size = numel(type.shape);
    if (size === 0 || size >= MOST_ELEMENTS) return null;
    if ("columns" in role) {
      const { kind, columns } = role;
      if (columns < SHORTEST_ROW || columns > LONGEST_ROW) return null;
      const reductions = { sums: 0, reduce: 1, rows: 2 }[kind];
      return { nodes: [i], size, columns, even: size, reductions };
    }
    let even = size;
    if (role.kind === "element")
      for (const name of node.inputs)
        if (!isRowOfGroup(name, i))
          even = Math.min(even, innermost(stridesOf(types.get(name)!.shape, type.shape)));
    if (even < Math.min(size, SHORTEST_ROW)) return null;
    return { nodes: [i], size, columns: null, even, reductions: 0 };
  };
  /** Whether an operand is one number for each row of the group that makes it. */
  const isRowOfGroup = (name: string, consumer: number): boolean => {
    const made = producer.get(name);
    const group = made === undefined ? undefined : groupOf.get(made);
    if (group?.columns == null) return false;
    const own = types.get(name)!;
    const result = types.get(nodes[consumer]!.outputs[0]!)!;
    return (
      numel(result.shape) === group.size &&
      numel(own.shape) * group.columns === group.size &&
      isColumn(own, result, group.columns)
    );
  };

  /** Whether what passes from one node of a group to another keeps its place: its element's, or its row's. */
  const fits = ({ nodes: members, columns }: Group): boolean => {
    const own = new Set(members);
    return members.every((i) => {
      const over = types.get(walkedOver(nodes[i]!, roles[i]!))!;
      return nodes[i]!.inputs.every((name) => {
        const made = producer.get(name);
        if (made === undefined || !own.has(made)) return true;
        if (roles[made]!.kind === "sums") return false;
        const type = types.get(name)!;
        if (numel(type.shape) === numel(over.shape)) return true;
        return columns !== null && isColumn(type, over, columns);
      });
    });
  };

  /** Gives a group's nodes a level, and those that need them one above. */
  const raise = (members: readonly number[], to: number): void => {
    const work = [{ members, to }];
    for (let next = work.pop(); next !== undefined; next = work.pop()) {
      if (next.members.every((member) => levels[member]! >= next.to)) continue;
      for (const member of next.members) levels[member] = next.to;
      for (const member of next.members)
        for (const user of after[member]!) {
          const level = levels[user];
          if (level === undefined || level > next.to || next.members.includes(user)) continue;
          work.push({ members: groupOf.get(user)?.nodes ?? [user], to: next.to + 1 });
        }
    }
  };

  nodes.forEach((_, i) => {
    levels[i] = 1 + Math.max(0, ...before[i]!.map((other) => levels[other]!));
    const role = roles[i] ?? null;
    if (role === null) return;
    let group = alone(i, role);
    if (group === null) return;
    groupOf.set(i, group);
    for (const other of before[i]!) {
      const its = groupOf.get(other);
      if (its === undefined || its === group) continue;
      const union = joined(its, group);
      if (union === null || !fits(union) || !isConvex(its.nodes, group.nodes, order)) continue;
      for (const member of union.nodes) groupOf.set(member, union);
      raise(union.nodes, Math.max(levels[other]!, levels[i]));
      group = union;
    }
  });

  return [...new Set(groupOf.values())].map((group) => ({
    ...group,
    nodes: [...group.nodes].sort((a, b) => a - b),
  }));
}

/** Whether a value has one element for each row of another's, in this order. */
function isColumn(value: TypeSpec, over: TypeSpec, columns: number): boolean {
  const strides = stridesOf(value.shape, over.shape);
  const rows = numel(over.shape) / columns;
  if (rows === 1) return strides.length === 1 && strides[0]!.stride === 0;
  const [outer, inner] = strides;
  return (
    strides.length === 2 &&
    outer!.size === rows &&
    outer!.stride === 1 &&
    inner!.size === columns &&
    inner!.stride === 0
  );
}

/** Both groups as one; null where their tensors are not walked over together. */
function joined(a: Group, b: Group): Group | null {
  if (a.nodes.length + b.nodes.length > MOST_NODES) return null;
  const nodes = [...a.nodes, ...b.nodes];
  const reductions = a.reductions + b.reductions;
  if (reductions > MOST_REDUCTIONS) return null;
  if (a.size !== b.size) {
    // What has one element for each row of the other.
    const [whole, rows] = a.size > b.size ? [a, b] : [b, a];
    const fits =
      whole.columns !== null && whole.size === rows.size * whole.columns && rows.columns === null;
    return fits ? { ...whole, nodes, reductions } : null;
  }
  const columns = a.columns ?? b.columns;
  if (a.columns !== null && b.columns !== null && a.columns !== b.columns) return null;
  const [long, short] = a.even > b.even ? [a.even, b.even] : [b.even, a.even];
  if (long % short !== 0) return null;
  if (columns !== null && short % columns !== 0) return null;
  return { nodes, size: a.size, columns, even: short, reductions };
}

/** What tells whether groups can be one: which nodes need which, their levels, and the groups so far. */
interface Order {
  readonly before: readonly (readonly number[])[];
  readonly after: readonly (readonly number[])[];
  readonly levels: readonly number[];
  readonly groupOf: ReadonlyMap<number, Group>;
}

/**
 * Whether two groups, the second of which needs the first, can be one: no way from the second back to the first leads
 * through other nodes. (The first cannot need the second, as groups so far form no cycle.) Both ends are searched from in
 * turn, as often only one has much before or behind it.
 */
function isConvex(first: readonly number[], second: readonly number[], order: Order): boolean {
  const { before, after, levels, groupOf } = order;
  const lowest = Math.min(...first.map((node) => levels[node]!));
  const highest = Math.max(...second.map((node) => levels[node]!));
  const between = (node: number): boolean => levels[node]! > lowest && levels[node]! < highest;
  const searches = [
    new Search({ from: second, to: first, next: before, between }, groupOf),
    new Search({ from: first, to: second, next: after, between }, groupOf),
  ];
  for (;;)
    for (const search of searches) {
      const found = search.step();
      if (found !== null) return !found;
    }
}

interface SearchSpec {
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly next: readonly (readonly number[])[];
  readonly between: (node: number) => boolean;
}

/** A search, node after node, for a way from one set to another that leaves both. */
class Search {
  readonly #goal: ReadonlySet<number>;
  readonly #own: ReadonlySet<number>;
  readonly #next: readonly (readonly number[])[];
  readonly #between: (node: number) => boolean;
  readonly #groupOf: ReadonlyMap<number, Group>;
  readonly #seen = new Set<number>();
  readonly #stack: number[] = [];

  /** `next` has the steps from each node; only nodes `between` are gone through. */
  constructor({ from, to, next, between }: SearchSpec, groupOf: ReadonlyMap<number, Group>) {
    this.#goal = new Set(to);
    this.#own = new Set(from);
    this.#next = next;
    this.#between = between;
    this.#groupOf = groupOf;
    for (const node of from)
      for (const other of next[node]!) if (!this.#goal.has(other)) this.#stack.push(other);
  }

  /** Looks at one node: true where the way is found, false where there is none, null where the search goes on. */
  step(): boolean | null {
    const node = this.#stack.pop();
    if (node === undefined) return false;
    if (this.#goal.has(node)) return true;
    if (this.#own.has(node) || this.#seen.has(node) || !this.#between(node)) return null;
    this.#seen.add(node);
    // A node of another group comes with all of it.
    for (const mate of this.#groupOf.get(node)?.nodes ?? [])
      if (!this.#seen.has(mate)) this.#stack.push(mate);
    this.#stack.push(...this.#next[node]!);
    return null;
  }
}
