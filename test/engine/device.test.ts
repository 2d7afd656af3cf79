import { afterEach, expect, test, vi } from "vitest";
import { executor, parseDevice, setDevice } from "../../src/device.ts";
import { tensor } from "../../src/index.ts";
import type * as runtime from "../../src/runtime/index.ts";

vi.mock("../../src/runtime/index.ts", async (original) => {
  const real = await original<typeof runtime>();
  return {
    createExecutor: (...args: Parameters<typeof real.createExecutor>) =>
      args[0] === "webgpu"
        ? Promise.reject(new Error("webgpu: no adapter"))
        : real.createExecutor(...args),
  };
});

afterEach(() => vi.restoreAllMocks());

test("without an adapter the default device is used, and a warning says so", async () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  expect(await setDevice("webgpu")).toBe("cpu");
  expect(warn).toHaveBeenCalledExactlyOnceWith("webgpu: no adapter\nUsing cpu instead of webgpu.");
  expect(await tensor([1, 2]).add(1).toArray()).toEqual([2, 3]);
});

test("fallback: false throws and keeps the device in use", async () => {
  await setDevice("cpu");
  const before = await executor();
  await expect(setDevice("webgpu", { fallback: false })).rejects.toThrow("no adapter");
  expect(await executor()).toBe(before);
});

test("an unknown device is an error that lists the known ones", () => {
  expect(() => parseDevice("gpu")).toThrow(
    'unknown device "gpu", expected one of cpu, wasm, webgpu',
  );
});
