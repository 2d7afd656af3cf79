/** Counter-based random numbers as graph operations: the same bits on every executor, and in plain JavaScript. */

import { dtypes } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { defineOp, defineOp1, type Emitter } from "../graph/op.ts";
import { numel, type Shape } from "../graph/shape.ts";
import { lt } from "./compare.ts";
import { add, cos, log, maximum, mul, sin, sqrt, sub } from "./elementwise.ts";
import { cast } from "./elementwise-rules.ts";
import { concat, reshape, slice } from "./shape.ts";

const iotaOp = defineOp1<{ size: number }>({
  name: "iota",
  infer: (_, { size }) => ({ dtype: "int32", shape: [size] }),
  vjp: null,
  lower: ({ attrs, emit }) =>
    emit.node("Range", [
      emit.scalar("int32", 0),
      emit.scalar("int32", attrs.size),
      emit.scalar("int32", 1),
    ]),
});

/** 0, 1, …, size − 1 as int32. */
export const iota = (size: number): Value => iotaOp([], { size });

/** x / 2ⁿ of uint32 words. WebGPU has no BitShift; dividing is slower on a CPU. */
const shiftRight = (emit: Emitter, x: string, bits: number): string =>
  emit.target.gpu
    ? emit.node("Div", [x, emit.scalar("uint32", 2 ** bits)])
    : emit.node("BitShift", [x, emit.scalar("uint32", bits)], { direction: { string: "RIGHT" } });

/**
 * One round of the generator on uint32 words: y = x(2x + 1), the permutation of RC6, then a rotation by 16 bits and
 * the addition of a round key. Both steps are bijections modulo 2³².
 */
const randomRoundOp = defineOp1({
  name: "randomRound",
  elementwise: true,
  infer: ([x]) => ({ dtype: "uint32", shape: x!.shape }),
  vjp: null,
  lower: ({ inputs: [x, key], emit }) => {
    const word = (n: number): string => emit.scalar("uint32", n);
    const twice = emit.node("Mul", [x!, word(2)]);
    const y = emit.node("Mul", [x!, emit.node("Add", [twice, word(1)])]);
    const high = emit.node("Mul", [y, word(65536)]);
    return emit.node("Add", [emit.node("Add", [high, shiftRight(emit, y, 16)]), key!]);
  },
});

const ROUNDS = 4;
const GOLDEN = 0x9e3779b1;
/** Added to the key before each round: digits of π. */
const ROUND_CONSTANTS = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];

/**
 * Random uint32 words. `state` is uint32 [2], the seed and the number of draws made before; element i depends on
 * both and on i only.
 */
export function randomBits(state: Value, shape: Shape): Value {
  const seed = slice(state, 0, 0, 1);
  const draw = slice(state, 0, 1, 2);
  const stream = rounds(add(mul(draw, GOLDEN), seed), seed);
  // A key of its own for each draw: with the seed as key, draws would be shifted pieces of one sequence.
  const key = randomRoundOp([stream, seed]);
  const counter = mul(cast(iota(numel(shape)), "uint32"), GOLDEN);
  return reshape(rounds(add(counter, stream), key), shape);
}

function rounds(x: Value, key: Value): Value {
  let y = x;
  for (let i = 0; i < ROUNDS; i++) y = randomRoundOp([y, add(key, ROUND_CONSTANTS[i]!)]);
  return y;
}

const shiftOp = defineOp1({
  name: "topBits",
  elementwise: true,
  infer: ([x]) => ({ dtype: "float32", shape: x!.shape }),
  vjp: null,
  // The 24 high bits, which float32 holds exactly.
  lower: ({ inputs: [x], emit }) =>
    emit.node("Cast", [shiftRight(emit, x!, 8)], { to: { int: dtypes.float32.onnx } }),
});

/** Uniform float32 numbers in [0, 1): 24 random bits each. */
export const randomUniform = (state: Value, shape: Shape): Value =>
  mul(shiftOp([randomBits(state, shape)]), 2 ** -24);

/** Standard normal float32 numbers (Box and Muller, 1958): two from each pair of uniform ones. */
export function randomNormal(state: Value, shape: Shape): Value {
  const count = numel(shape);
  const half = Math.ceil(count / 2);
  const u = randomUniform(state, [2, half]);
  const row = (i: number): Value => reshape(slice(u, 0, i, i + 1), [half]);
  const radius = sqrt(mul(log(sub(1, row(0))), -2));
  const angle = mul(row(1), 2 * Math.PI);
  const both = concat([mul(radius, cos(angle)), mul(radius, sin(angle))], 0);
  return reshape(slice(both, 0, 0, count), shape);
}

/** Exponential float32 numbers with mean 1, none of them 0: −ln(1 − u), and half a step of u where u is 0. */
export const randomExponential = (state: Value, shape: Shape): Value =>
  maximum(mul(log(sub(1, randomUniform(state, shape))), -1), 2 ** -25);

const halvesOp = defineOp({
  name: "wordHalves",
  infer: ([x]) => {
    const type = { dtype: "float32", shape: x!.shape } as const;
    return [type, type];
  },
  vjp: null,
  lower: ({ inputs: [x], emit }) => {
    const step = emit.scalar("uint32", 65536);
    const high = shiftRight(emit, x!, 16);
    const low = emit.node("Sub", [x!, emit.node("Mul", [high, step])]);
    return [high, low].map((half) =>
      emit.node("Cast", [half], { to: { int: dtypes.float32.onnx } }),
    );
  },
});

/**
 * true with probability p, in steps of 2⁻¹⁶: two from each random word, which makes a mask half as dear as uniform
 * numbers compared with p.
 */
export function randomMask(state: Value, shape: Shape, p: number): Value {
  const count = numel(shape);
  const halves = halvesOp([randomBits(state, [Math.ceil(count / 2)])]);
  const [a, b] = halves.map((half) => lt(half, Math.round(p * 65536)));
  return reshape(slice(concat([a!, b!], 0), 0, 0, count), shape);
}
