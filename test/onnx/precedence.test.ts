/** Which nodes run before which, against walks over all edges of random graphs. */

import { expect, test } from "vitest";
import type { Node, Value } from "../../src/graph/node.ts";
import { Precedence } from "../../src/onnx/precedence.ts";
import { add } from "../../src/ops/elementwise.ts";
import { source } from "../../src/ops/leaf.ts";
import { concat } from "../../src/ops/shape.ts";
import { split } from "../../src/ops/split.ts";
import { Dice } from "../kernels/dice.ts";

/** All that runs before a node, and the node. */
function before(node: Node, known: ReadonlySet<Value>, waits: Map<Node, Node[]>): Set<Node> {
  const seen = new Set<Node>();
  const stack = [node];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    stack.push(...next.inputs.filter((value) => !known.has(value)).map((value) => value.node));
    stack.push(...(waits.get(next) ?? []));
  }
  return seen;
}

test.each(Array.from({ length: 40 }, (_, i) => i))("graph %i", (seed) => {
  const dice = new Dice(seed);
  const known = new Set(Array.from({ length: 3 }, () => source({ dtype: "float32", shape: [2] })));
  const values = [...known];
  const size = 5 + dice.below(60);
  while (values.length < size) {
    const sum = add(dice.one(values.slice(-12)), dice.one(values));
    // Two outputs, of which one may be known.
    const made = dice.chance(0.2) ? split(concat([sum, dice.one(values)], 0), [2, 2], 0) : [sum];
    if (made.length > 1 && dice.chance(0.3)) known.add(made[0]!);
    values.push(...made.filter((value) => !values.includes(value)));
  }
  const computed = values.filter((value) => !known.has(value));
  const nodes = [...new Set(computed.flatMap(({ node }) => [...before(node, known, new Map())]))];
  const consumers = new Map<Value, Node[]>();
  for (const node of nodes)
    for (const input of node.inputs) consumers.set(input, [...(consumers.get(input) ?? []), node]);
  const readers = nodes.filter(() => dice.chance(0.6));
  if (readers.length === 0) return;
  const precedence = new Precedence(nodes, consumers, known, readers);
  const waits = new Map<Node, Node[]>();
  for (let round = 0; round < 8; round++) {
    for (const node of nodes) {
      const truth = before(node, known, waits);
      for (const reader of readers)
        expect(precedence.isBefore(reader, node)).toBe(truth.has(reader));
      const some = readers.filter(() => dice.chance(0.2));
      const later = some.some((reader) => before(reader, known, waits).has(node));
      expect(precedence.isBeforeAny(node, some)).toBe(later);
    }
    const node = dice.one(nodes);
    const allowed = readers.filter(
      (reader) => dice.chance(0.3) && !before(reader, known, waits).has(node),
    );
    precedence.wait(node, allowed);
    waits.set(node, [...(waits.get(node) ?? []), ...allowed]);
  }
});
