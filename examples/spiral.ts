/** Three interleaved spirals, told apart by a small network trained in a compiled step. Run: npx tsx examples/spiral.ts */

import {
  compile,
  linspace,
  manualSeed,
  noGrad,
  randn,
  stack,
  tensor,
  type Tensor,
} from "learning-loop";
import * as nn from "learning-loop/nn";
import { AdamW, CosineAnnealingLR } from "learning-loop/optim";

manualSeed(0);
const ARMS = 3;
const POINTS = 200; // an arm
const STEPS = 200;

/** Points [n, 2] of one arm: the angle grows with the radius, with some noise. */
function arm(number: number): Tensor {
  const radius = linspace(0.05, 1, POINTS);
  const angle = radius
    .mul(4.5)
    .add((number * 2 * Math.PI) / ARMS)
    .add(randn([POINTS]).mul(0.15));
  return stack([radius.mul(angle.sin()), radius.mul(angle.cos())], 1);
}

const arms = Array.from({ length: ARMS }, (_, i) => arm(i));
const x = stack(arms).reshape(ARMS * POINTS, 2);
const y = tensor(
  arms.flatMap((_, i) => Array<number>(POINTS).fill(i)),
  { dtype: "int32" },
);

const model = new nn.Sequential(
  new nn.Linear(2, 64),
  new nn.ReLU(),
  new nn.Linear(64, 64),
  new nn.ReLU(),
  new nn.Linear(64, ARMS),
);
const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
const schedule = new CosineAnnealingLR(optimizer, STEPS);

const step = compile((x: Tensor, y: Tensor) => {
  const logits = model.forward(x);
  const loss = nn.functional.crossEntropy(logits, y);
  loss.backward();
  optimizer.step();
  optimizer.zeroGrad();
  return { loss, accuracy: logits.argmax(1).eq(y).cast("float32").mean() };
});

for (let i = 1; i <= STEPS; i++) {
  const { loss, accuracy } = await step(x, y);
  schedule.step();
  if (i % 40 === 0)
    console.log(
      `step ${i}  loss ${(await loss.item()).toFixed(3)}  accuracy ${(await accuracy.item()).toFixed(3)}`,
    );
}

// What the network says of every place in the square: one character a place.
const SIZE = 24;
const side = Array.from({ length: SIZE }, (_, i) => ((i + 0.5) / SIZE) * 2 - 1);
const places = tensor(side.flatMap((v) => side.map((u) => [u, -v])));
const classes = (await noGrad(() => model.forward(places).argmax(1)).data()) as Int32Array;
for (let row = 0; row < SIZE; row++)
  console.log(
    Array.from(classes.subarray(row * SIZE, (row + 1) * SIZE), (c) => "·o#"[c]! + " ").join(""),
  );
