/** A convolutional network that reads small drawn digits, in mini-batches, with batch norm. Run: npx tsx examples/digits.ts */

import { compile, manualSeed, noGrad, randperm, tensor, type Tensor } from "learning-loop";
import * as nn from "learning-loop/nn";
import { Adam } from "learning-loop/optim";
import { drawDigits, SIDE } from "./drawn-digits.ts";

manualSeed(0);
const BATCH = 64;
const EPOCHS = 6;

/** Park and Miller's generator, so that everybody gets the same digits. */
let seed = 1;
const random = (): number => (seed = (seed * 48271) % 2147483647) / 2147483647;

function dataset(count: number): { images: Tensor; labels: Tensor } {
  const { images, labels } = drawDigits(count, random);
  return { images: tensor(images, { shape: [count, 1, SIDE, SIDE] }), labels: tensor(labels) };
}
const train = dataset(2048);
const test = dataset(512);

const model = new nn.Sequential(
  new nn.Conv2d(1, 16, 3, { padding: 1 }), // [B, 16, 8, 8]
  new nn.BatchNorm2d(16),
  new nn.ReLU(),
  new nn.MaxPool2d(2), // [B, 16, 4, 4]
  new nn.Conv2d(16, 32, 3, { padding: 1 }),
  new nn.BatchNorm2d(32),
  new nn.ReLU(),
  new nn.MaxPool2d(2), // [B, 32, 2, 2]
  new nn.Flatten(),
  new nn.Dropout(0.2),
  new nn.Linear(128, 10),
);
console.log(String(nn.summary(model, train.images.slice(0, 0, 1))));

const optimizer = new Adam(model.parameters(), { lr: 3e-3 });
const step = compile((images: Tensor, labels: Tensor) => {
  const loss = nn.functional.crossEntropy(model.forward(images), labels);
  loss.backward();
  optimizer.step();
  optimizer.zeroGrad();
  return loss;
});

for (let epoch = 1; epoch <= EPOCHS; epoch++) {
  let total = 0;
  const batches = randperm(train.labels.size).split(BATCH);
  for (const batch of batches)
    total += await (
      await step(train.images.indexSelect(0, batch), train.labels.indexSelect(0, batch))
    ).item();
  console.log(`epoch ${epoch}  loss ${(total / batches.length).toFixed(3)}`);
}

model.eval();
const predicted = noGrad(() => model.forward(test.images).argmax(1));
const right = await predicted.eq(test.labels).cast("float32").mean().item();
console.log(
  `${(right * 100).toFixed(1)} % of ${test.labels.size} digits it never saw are read right`,
);

// The first of them, as drawn, and what is read.
const SHOWN = 6;
const shown = await test.images.slice(0, 0, SHOWN).data();
for (let row = 0; row < SIDE; row++)
  console.log(
    Array.from({ length: SHOWN }, (_, n) =>
      Array.from(
        { length: SIDE },
        (_, column) => " ·░▒▓█"[Math.round(Number(shown[(n * SIDE + row) * SIDE + column]) * 5)],
      ).join(""),
    ).join("   "),
  );
console.log("read as " + ((await predicted.slice(0, 0, SHOWN).toArray()) as number[]).join(", "));
