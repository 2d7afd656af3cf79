/** Digits of 8×8 grey values, drawn with strokes that are shifted, turned, scaled and smudged, so that no two are alike. */

/** Strokes of each digit as lines through points (x, y) in the unit square, y down. */
const STROKES: readonly (readonly (readonly [number, number])[])[][] = [
  [ring(0.5, 0.5, 0.28, 0.4)],
  [
    [
      [0.35, 0.25],
      [0.55, 0.1],
      [0.55, 0.9],
    ],
  ],
  [
    [
      [0.25, 0.3],
      [0.35, 0.13],
      [0.6, 0.1],
      [0.74, 0.28],
      [0.62, 0.5],
      [0.25, 0.88],
      [0.78, 0.88],
    ],
  ],
  [
    [
      [0.27, 0.15],
      [0.6, 0.1],
      [0.74, 0.28],
      [0.48, 0.46],
      [0.74, 0.66],
      [0.6, 0.88],
      [0.25, 0.84],
    ],
  ],
  [
    [
      [0.62, 0.9],
      [0.62, 0.1],
      [0.22, 0.62],
      [0.8, 0.62],
    ],
  ],
  [
    [
      [0.74, 0.12],
      [0.32, 0.12],
      [0.29, 0.46],
      [0.6, 0.42],
      [0.75, 0.64],
      [0.58, 0.88],
      [0.26, 0.84],
    ],
  ],
  [
    [
      [0.66, 0.1],
      [0.36, 0.4],
      [0.27, 0.68],
    ],
    ring(0.5, 0.68, 0.23, 0.21),
  ],
  [
    [
      [0.24, 0.12],
      [0.77, 0.12],
      [0.42, 0.9],
    ],
  ],
  [ring(0.5, 0.3, 0.2, 0.19), ring(0.5, 0.69, 0.25, 0.2)],
  [
    ring(0.5, 0.33, 0.23, 0.21),
    [
      [0.73, 0.33],
      [0.68, 0.62],
      [0.5, 0.9],
    ],
  ],
];

function ring(x: number, y: number, rx: number, ry: number): [number, number][] {
  return Array.from({ length: 13 }, (_, i) => {
    const angle = (i / 12) * 2 * Math.PI;
    return [x + rx * Math.sin(angle), y - ry * Math.cos(angle)];
  });
}

export const SIDE = 8;

/** `count` images [count, 8, 8] row by row in 0 … 1, and their digits; `random` gives numbers in [0, 1). */
export function drawDigits(
  count: number,
  random: () => number,
): { images: Float32Array; labels: Int32Array } {
  const images = new Float32Array(count * SIDE * SIDE);
  const labels = new Int32Array(count);
  for (let n = 0; n < count; n++) {
    const digit = Math.floor(random() * 10);
    labels[n] = digit;
    draw(STROKES[digit]!, images.subarray(n * SIDE * SIDE, (n + 1) * SIDE * SIDE), random);
  }
  return { images, labels };
}

function draw(
  strokes: readonly (readonly (readonly [number, number])[])[],
  image: Float32Array,
  random: () => number,
): void {
  const around = (spread: number): number => (random() * 2 - 1) * spread;
  const [angle, slant, sx, sy] = [
    around(0.3),
    around(0.25),
    0.85 + around(0.2),
    0.9 + around(0.15),
  ];
  const [dx, dy, width] = [around(0.08), around(0.08), 0.1 + random() * 0.06];
  const place = ([x, y]: readonly [number, number]): [number, number] => {
    const [u, v] = [
      (x - 0.5 - slant * (y - 0.5)) * sx + around(0.02),
      (y - 0.5) * sy + around(0.02),
    ];
    return [
      0.5 + dx + u * Math.cos(angle) - v * Math.sin(angle),
      0.5 + dy + u * Math.sin(angle) + v * Math.cos(angle),
    ];
  };
  const lines = strokes.map((points) => points.map(place));
  for (let i = 0; i < image.length; i++) {
    const [x, y] = [((i % SIDE) + 0.5) / SIDE, (Math.floor(i / SIDE) + 0.5) / SIDE];
    const near = Math.min(
      ...lines.flatMap((line) => line.slice(1).map((end, j) => distance(x, y, line[j]!, end))),
    );
    image[i] = Math.min(1, Math.max(0, 1.3 - near / width + around(0.1)));
  }
}

/** From a point to the line between two. */
function distance(
  x: number,
  y: number,
  [ax, ay]: readonly [number, number],
  [bx, by]: readonly [number, number],
): number {
  const [ux, uy] = [bx - ax, by - ay];
  const along = ((x - ax) * ux + (y - ay) * uy) / (ux * ux + uy * uy || 1);
  const t = Math.min(1, Math.max(0, along));
  return Math.hypot(x - ax - t * ux, y - ay - t * uy);
}
