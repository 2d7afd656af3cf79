/** Samples of products by PyTorch's names, Einstein's summation and distances. */

import { einsum, type Tensor } from "../../../src/index.ts";
import { f32, f64, given, ints, sample, type Extra, type Input, type Sample } from "../sample.ts";

const second: Extra = { second: true };
const samples: Sample[] = [];
const both = (a: readonly number[], b: readonly number[]): Input[] => [f32(a), f32(b, -2, 2, 1)];

// ---- einsum ----------------------------------------------------------------------------------------------------

const equations: readonly (readonly [string, readonly (readonly number[])[]])[] = [
  [
    "ij,jk->ik",
    [
      [2, 3],
      [3, 4],
    ],
  ],
  [
    "ij,kj->ik",
    [
      [2, 3],
      [4, 3],
    ],
  ],
  [
    "ji,jk",
    [
      [3, 2],
      [3, 4],
    ],
  ],
  [
    "bij,bjk->bik",
    [
      [2, 2, 3],
      [2, 3, 4],
    ],
  ],
  [
    "bhqd,bhkd->bhqk",
    [
      [2, 2, 3, 4],
      [2, 2, 5, 4],
    ],
  ],
  [
    "bhqk,bkhd->bqhd",
    [
      [2, 2, 3, 4],
      [2, 4, 2, 5],
    ],
  ],
  ["i,j->ij", [[2], [3]]],
  ["i,i", [[3], [3]]],
  ["i,i->i", [[3], [3]]],
  ["ii", [[3, 3]]],
  ["ii->i", [[3, 3]]],
  ["iij->ji", [[2, 2, 3]]],
  ["ij->ji", [[2, 3]]],
  ["ba", [[2, 3]]],
  ["ij->", [[2, 3]]],
  ["ijk->k", [[2, 3, 4]]],
  [
    "...ij,...jk->...ik",
    [
      [2, 1, 2, 3],
      [3, 3, 2],
    ],
  ],
  ["...ij->...ji", [[2, 2, 3]]],
  ["i...->...", [[2, 3, 2]]],
  [
    "...i,...i",
    [
      [2, 3],
      [2, 3],
    ],
  ],
  ["...,...->...", [[2, 3], [3]]],
  [
    "bn,anm,bm->ba",
    [
      [2, 3],
      [4, 3, 5],
      [2, 5],
    ],
  ],
  [
    "ij,jk,kl->il",
    [
      [2, 3],
      [3, 4],
      [4, 2],
    ],
  ],
  [
    "ij,ij,ij->i",
    [
      [2, 3],
      [2, 3],
      [2, 3],
    ],
  ],
  [
    "ik,jk->ij",
    [
      [2, 1],
      [3, 4],
    ],
  ],
  ["ij,k->jk", [[2, 3], [4]]],
  [
    "iij,jkk->ik",
    [
      [2, 2, 3],
      [3, 4, 4],
    ],
  ],
  [
    "ab,cd,ef->ace",
    [
      [2, 2],
      [2, 3],
      [3, 2],
    ],
  ],
  [",ij->ij", [[], [2, 3]]],
  [
    "aB,Bc->ac",
    [
      [2, 3],
      [3, 2],
    ],
  ],
  [
    "ij,jk->ik",
    [
      [0, 3],
      [3, 2],
    ],
  ],
  [
    "ij,jk->ik",
    [
      [2, 0],
      [0, 3],
    ],
  ],
];
equations.forEach(([equation, shapes], i) => {
  const run = (...x: Tensor[]): Tensor => einsum(equation, ...x);
  const torch = `torch.einsum('${equation}', ${shapes.map((_, k) => `x${k}`).join(", ")})`;
  samples.push(
    sample(
      "einsum",
      shapes.map((shape, k) => f32(shape, -2, 2, k)),
      run,
      torch,
      i % 2 === 0 ? second : {},
    ),
  );
});
samples.push(
  sample(
    "einsum",
    [f64([2, 3]), f64([3, 2], -2, 2, 1)],
    (a, b) => einsum("ij,jk->ki", a, b),
    "torch.einsum('ij,jk->ki', x0, x1)",
    second,
  ),
  sample(
    "einsum",
    [ints("int64", [2, 3], -5, 5), ints("int64", [3, 2], -5, 5, 1)],
    (a, b) => einsum("ij,jk", [a, b]),
    "torch.einsum('ij,jk', x0, x1)",
  ),
  sample(
    "einsum",
    [f32([2, 3])],
    (a) => einsum("ij,kj->ik", a, a),
    "torch.einsum('ij,kj->ik', x0, x0)",
    second,
  ),
);

// ---- products ----------------------------------------------------------------------------------------------------

samples.push(
  sample("mm", both([2, 3], [3, 4]), (a, b) => a.mm(b), "x0.mm(x1)", second),
  sample("mv", both([2, 3], [3]), (a, b) => a.mv(b), "x0.mv(x1)", second),
  sample("bmm", both([2, 2, 3], [2, 3, 2]), (a, b) => a.bmm(b), "x0.bmm(x1)", second),
  sample("dot", both([4], [4]), (a, b) => a.dot(b), "x0.dot(x1)", second),
  sample("vdot", both([4], [4]), (a, b) => a.vdot(b), "torch.vdot(x0, x1)"),
  sample("inner", both([2, 3], [4, 3]), (a, b) => a.inner(b), "torch.inner(x0, x1)", second),
  sample("inner", both([2, 2, 3], [3]), (a, b) => a.inner(b), "torch.inner(x0, x1)"),
  sample("inner", both([2, 3], []), (a, b) => a.inner(b), "torch.inner(x0, x1)"),
  sample("outer", both([2], [3]), (a, b) => a.outer(b), "torch.outer(x0, x1)", second),
  sample(
    "outer",
    [ints("int32", [2], -3, 3), f32([3])],
    (a, b) => a.outer(b),
    "torch.outer(x0, x1)",
  ),
  sample(
    "addmm",
    [f32([2, 4]), ...both([2, 3], [3, 4])],
    (x, a, b) => x.addmm(a, b),
    "x0.addmm(x1, x2)",
    second,
  ),
  sample(
    "addmm",
    [f32([4]), ...both([2, 3], [3, 4])],
    (x, a, b) => x.addmm(a, b, { beta: 0.5, alpha: 2 }),
    "torch.addmm(x0, x1, x2, beta=0.5, alpha=2)",
    second,
  ),
  sample(
    "addmm",
    [given("float32", [2, 2], [NaN, NaN, 1, 1]), ...both([2, 3], [3, 2])],
    (x, a, b) => x.addmm(a, b, { beta: 0 }),
    "x0.addmm(x1, x2, beta=0)",
    { grad: false },
  ),
  sample("addmv", [f32([2]), ...both([2, 3], [3])], (x, a, b) => x.addmv(a, b), "x0.addmv(x1, x2)"),
  sample(
    "baddbmm",
    [f64([2, 2, 2]), f64([2, 2, 3], -2, 2, 1), f64([2, 3, 2], -2, 2, 2)],
    (x, a, b) => x.baddbmm(a, b, { beta: 2, alpha: 0.3 }),
    "x0.baddbmm(x1, x2, beta=2, alpha=0.3)",
    second,
  ),
  sample(
    "tensordot",
    both([2, 3, 4], [3, 4, 2]),
    (a, b) => a.tensordot(b),
    "torch.tensordot(x0, x1)",
    second,
  ),
  sample(
    "tensordot",
    both([2, 3], [3, 4]),
    (a, b) => a.tensordot(b, 1),
    "torch.tensordot(x0, x1, 1)",
  ),
  sample("tensordot", both([2, 3], [2]), (a, b) => a.tensordot(b, 0), "torch.tensordot(x0, x1, 0)"),
  sample(
    "tensordot",
    both([2, 3, 4], [4, 5, 2]),
    (a, b) =>
      a.tensordot(b, [
        [-1, 0],
        [0, 2],
      ]),
    "torch.tensordot(x0, x1, ([-1, 0], [0, 2]))",
    second,
  ),
  sample("kron", both([2, 2], [2, 3]), (a, b) => a.kron(b), "torch.kron(x0, x1)", second),
  sample("kron", both([2], [2, 3]), (a, b) => a.kron(b), "torch.kron(x0, x1)"),
  sample(
    "cross",
    both([2, 3], [2, 3]),
    (a, b) => a.cross(b),
    "torch.linalg.cross(x0, x1, dim=1)",
    second,
  ),
  sample(
    "cross",
    both([3, 3], [3, 3]),
    (a, b) => a.cross(b, -1),
    "torch.linalg.cross(x0, x1, dim=-1)",
  ),
  sample(
    "cross",
    both([3, 2], [3, 1]),
    (a, b) => a.cross(b, 0),
    "torch.linalg.cross(x0, x1, dim=0)",
  ),
  sample("trace", [f32([3, 3])], (x) => x.trace(), "x0.trace()", second),
  sample("trace", [f32([2, 4])], (x) => x.trace(), "x0.trace()"),
  sample("trace", [ints("int64", [2, 2], -5, 5)], (x) => x.trace(), "x0.trace()"),
  ...[1, 2, 5].map((n) =>
    sample(
      "matrixPower",
      [f32([2, 3, 3], -1, 1)],
      (x) => x.matrixPower(n),
      `torch.matrix_power(x0, ${n})`,
      second,
    ),
  ),
  sample("cov", [f32([3, 5])], (x) => x.cov(), "x0.cov()", second),
  sample("cov", [f64([3, 5])], (x) => x.cov({ correction: 0 }), "x0.cov(correction=0)"),
  sample("cov", [f32([5])], (x) => x.cov(), "x0.cov()"),
  sample("corrcoef", [f32([3, 5])], (x) => x.corrcoef(), "x0.corrcoef()", { rtol: 1e-4 }),
);

// ---- distances ---------------------------------------------------------------------------------------------------

for (const p of [0, 1, 1.5, 2, 3, Infinity])
  samples.push(
    sample(
      "cdist",
      both([2, 3], [4, 3]),
      (a, b) => a.cdist(b, { p }),
      `torch.cdist(x0, x1, p=${p === Infinity ? "float('inf')" : p})`,
    ),
  );
samples.push(
  sample("cdist", both([2, 2, 3], [1, 4, 3]), (a, b) => a.cdist(b), "torch.cdist(x0, x1)"),
  sample(
    "cdist",
    [f64([3, 2]), f64([2, 2], -2, 2, 1)],
    (a, b) => a.cdist(b),
    "torch.cdist(x0, x1)",
  ),
  sample(
    "cdist",
    both([3, 2], [4, 2]),
    (a, b) => a.cdist(b, { computeMode: "use_mm_for_euclid_dist" }),
    "torch.cdist(x0, x1, compute_mode='use_mm_for_euclid_dist')",
    { rtol: 1e-4 },
  ),
  sample("cdist", both([26, 2], [2, 2]), (a, b) => a.cdist(b), "torch.cdist(x0, x1)", {
    rtol: 1e-4,
  }),
  sample(
    "cdist",
    [given("float32", [2, 2], [1, 2, 3, 4])],
    (a) => a.cdist(a),
    "torch.cdist(x0, x0)",
    {
      note: "distance 0",
      noGradcheck: "no derivative at 0",
    },
  ),
);

export const contractionSamples: readonly Sample[] = samples;
