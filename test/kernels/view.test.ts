/** Views of tensors against the tensors that the same operations make by moving elements. */

import { describe, expect, it } from "vitest";
import {
  evenRuns,
  isInOrder,
  narrowed,
  permuted,
  reshaped,
  type View,
  whole,
} from "../../src/kernels/view.ts";
import { Dice } from "./dice.ts";

const product = (numbers: readonly number[]): number => numbers.reduce((a, b) => a * b, 1);

/** The source's places of a view's elements, in order. */
const placesOf = ({ shape, strides, offset }: View): number[] =>
  shape.reduce(
    (places, size, dim) =>
      places.flatMap((place) => Array.from({ length: size }, (_, i) => place + i * strides[dim]!)),
    [offset],
  );

/** A random way to write a number as a product. */
function shapeOf(dice: Dice, size: number): number[] {
  const shape: number[] = [];
  for (let left = size; left > 1;) {
    const factors = Array.from({ length: left }, (_, i) => i + 1).filter((f) => left % f === 0);
    const factor = dice.one(factors);
    shape.push(factor);
    left /= factor;
  }
  return shape;
}

describe("views", () => {
  it("hold what moving elements gives", () => {
    let uneven = 0;
    for (let seed = 0; seed < 300; seed++) {
      const dice = new Dice(seed);
      const first = shapeOf(dice, dice.one([1, 6, 24, 120, 144]));
      let view = whole("x", first);
      let elements = placesOf(view);
      expect(elements).toEqual(Array.from({ length: product(first) }, (_, i) => i));
      for (let step = 0; step < 6; step++) {
        const before = whole("y", view.shape);
        const dim = dice.below(view.shape.length);
        let after: View;
        switch (dice.below(3)) {
          case 0: {
            const order = view.shape.map((_, i) => i).sort(() => dice.below(3) - 1);
            [view, after] = [permuted(view, order), permuted(before, order)];
            break;
          }
          case 1: {
            if (view.shape.length === 0) continue;
            const size = dice.between(1, view.shape[dim]!);
            const from = dice.between(0, view.shape[dim]! - size);
            [view, after] = [narrowed(view, dim, from, size), narrowed(before, dim, from, size)];
            break;
          }
          default: {
            const shape = shapeOf(dice, product(view.shape));
            const turned = reshaped(view, shape);
            after = reshaped(before, shape)!;
            if (turned === null) {
              uneven++;
              continue;
            }
            view = turned;
          }
        }
        elements = placesOf(after).map((place) => elements[place]!);
        expect(placesOf(view)).toEqual(elements);
        expect(isInOrder(view)).toBe(elements.every((place, i) => place === i));
      }
    }
    expect(uneven).toBeGreaterThan(20);
  });

  it("of which several go on evenly together have fewer dimensions", () => {
    expect(evenRuns([2, 1, 3, 4], [[12, 5, 4, 1]])).toEqual([{ size: 24, strides: [1] }]);
    expect(
      evenRuns(
        [2, 3, 4],
        [
          [12, 4, 1],
          [4, 8, 1],
        ],
      ),
    ).toEqual([
      { size: 2, strides: [12, 4] },
      { size: 3, strides: [4, 8] },
      { size: 4, strides: [1, 1] },
    ]);
    expect(evenRuns([1, 1], [[3, 3]])).toEqual([]);
  });
});
