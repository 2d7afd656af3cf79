/** Linear regression by hand: two leaves, a loss, `backward`, and the update written out. Run: npx tsx examples/linear-regression.ts */

import { manualSeed, noGrad, rand, randn, tensor } from "learning-loop";

manualSeed(1);
const [slope, offset] = [3, -2];
const x = rand([100]).mul(2).sub(1); // [N]
const y = x
  .mul(slope)
  .add(offset)
  .add(randn([100]).mul(0.1)); // [N]

const w = tensor(0, { requiresGrad: true });
const b = tensor(0, { requiresGrad: true });

for (let epoch = 0; epoch <= 100; epoch++) {
  const loss = x.mul(w).add(b).sub(y).square().mean();
  loss.backward();
  if (epoch % 20 === 0) {
    const [l, dw, db] = await Promise.all([loss.item(), w.grad!.item(), b.grad!.item()]);
    console.log(
      `epoch ${String(epoch).padStart(3)}  loss ${l.toFixed(4)}  ∂w ${dw.toFixed(4)}  ∂b ${db.toFixed(4)}`,
    );
  }
  noGrad(() => {
    w.sub_(w.grad!.mul(0.2));
    b.sub_(b.grad!.mul(0.2));
  });
  w.grad = null;
  b.grad = null;
}

console.log(
  `y = ${(await w.item()).toFixed(2)} x + ${(await b.item()).toFixed(2)}, made with ${slope} x + ${offset}`,
);
