/** What a run in a worker and its caller send each other, the same between threads of Node and workers of a browser. */

/** To the worker. The first one is `begin`, once. */
export type ToWorker =
  | { readonly type: "begin"; readonly name: string; readonly options: unknown }
  | { readonly type: "pause" | "resume" | "stop" | "abort" };

/** From the worker. The last one is `end` or `error`. */
export type FromWorker =
  | { readonly type: "event"; readonly event: unknown }
  | { readonly type: "end"; readonly result: unknown }
  | { readonly type: "error"; readonly error: PackedError };

/** One end of a connection. */
export interface Endpoint {
  post(message: unknown): void;
  /**
   * @param onMessage gets each message of the other end.
   * @param onFailure is told once that the other end is gone: why, or null where it just ended.
   */
  listen(onMessage: (message: unknown) => void, onFailure: (error: Error | null) => void): void;
  /** Closes the connection; of a worker's owner, ends the worker. */
  close(): void | Promise<void>;
}

/** Two ends of a connection within one thread. */
export function endpointPair(): [Endpoint, Endpoint] {
  const listeners: [Listener, Listener] = [{}, {}];
  const close = (): void => {
    for (const listener of listeners) {
      const { onFailure } = listener;
      delete listener.onMessage;
      delete listener.onFailure;
      onFailure?.(null);
    }
  };
  const end = (own: Listener, other: Listener): Endpoint => ({
    post: (message) => queueMicrotask(() => other.onMessage?.(message)),
    listen: (onMessage, onFailure) => void Object.assign(own, { onMessage, onFailure }),
    close,
  });
  const [a, b] = listeners;
  return [end(a, b), end(b, a)];
}

interface Listener {
  onMessage?: (message: unknown) => void;
  onFailure?: (error: null) => void;
}

/** An error as plain data. */
export interface PackedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly cause: PackedError | undefined;
  /** Its other fields that are plain data, e.g. `code`, `step`, `file`. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What was thrown, as data that can be sent. */
export function packError(thrown: unknown): PackedError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { name, message, stack, cause } = error;
  const fields = Object.entries(error).filter(
    ([key, value]) => !["name", "cause"].includes(key) && isPlain(value),
  );
  return {
    ...{ name, message, stack, fields: Object.fromEntries(fields) },
    cause: cause === undefined ? undefined : packError(cause),
  };
}

/** An Error with the same name, message, stack, cause and fields. */
export function unpackError({ name, message, stack, cause, fields }: PackedError): Error {
  const options = cause === undefined ? {} : { cause: unpackError(cause) };
  const error = Object.assign(new Error(message, options), fields);
  const hidden = { writable: true, configurable: true, enumerable: false };
  Object.defineProperty(error, "name", { value: name, ...hidden });
  if (stack !== undefined) Object.defineProperty(error, "stack", { value: stack, ...hidden });
  return error;
}

/** Whether JSON holds it. */
function isPlain(value: unknown): boolean {
  if (value === null || ["string", "number", "boolean"].includes(typeof value)) return true;
  if (Array.isArray(value)) return value.every(isPlain);
  if (typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype) return false;
  return Object.values(value).every(isPlain);
}
