/** Runs for the tests of workers; the module that a worker imports. */

/** Yields numbers up to `to` and returns their sum. */
export async function* count({ to }: { to: number }): AsyncGenerator<number, number> {
  let sum = 0;
  for (let i = 1; i <= to; i++) {
    sum += i;
    yield i;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return sum;
}

export async function* fail(): AsyncGenerator<number, void> {
  yield 1;
  await Promise.resolve();
  const cause = new RangeError("the cause");
  throw Object.assign(new TypeError("it went wrong", { cause }), { code: "EWRONG", step: 7 });
}

/** Throws where nobody can catch it. */
export async function* crash(): AsyncGenerator<number, void> {
  yield 1;
  setTimeout(() => {
    throw new Error("uncaught");
  }, 1);
  await new Promise(() => setInterval(() => undefined, 1000));
}

export async function* exit(): AsyncGenerator<number, void> {
  yield 1;
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.exit(3);
}

/** Heeds nothing and never returns to the event loop. */
export async function* hang(): AsyncGenerator<number, void> {
  yield 1;
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (;;);
}

/** An event that cannot be sent, and what is cleaned up then. */
export async function* unsendable(): AsyncGenerator<unknown, void> {
  yield await Promise.resolve(() => 1);
}

export const notAFunction = 1;
