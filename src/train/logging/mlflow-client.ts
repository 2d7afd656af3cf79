/** Requests to an MLflow tracking server, repeated while the server or the network has trouble. */

/** How to reach a server. */
export interface MlflowServer {
  /** E.g. "http://localhost:5000". */
  readonly trackingUri: string;
  /** Bearer token; MLFLOW_TRACKING_TOKEN unless given. */
  readonly token?: string;
  /** For basic authentication; MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD unless given. */
  readonly username?: string;
  readonly password?: string;
  /** Seconds until an answer counts as not coming; 30 unless given. */
  readonly timeoutSeconds?: number;
  /** Times that a request is repeated, at first after half a second, then after twice as long each; 4 unless given. */
  readonly retries?: number;
}

/** The server refuses a request, or cannot be reached. */
export class MlflowError extends Error {
  override readonly name = "MlflowError";
  /** MLflow's code, e.g. RESOURCE_DOES_NOT_EXIST; null where there was no answer of MLflow's. */
  readonly code: string | null;
  /** Whether the same request may succeed later. */
  readonly isPassing: boolean;

  constructor(message: string, code: string | null, isPassing: boolean, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.isPassing = isPassing;
  }
}

/** Longest wait between two tries, in seconds. */
const LONGEST_WAIT = 30;

export class MlflowClient {
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeout: number;
  readonly #retries: number;

  constructor({ trackingUri, timeoutSeconds = 30, retries = 4, ...given }: MlflowServer) {
    if (!/^https?:\/\//.test(trackingUri))
      throw new Error(
        `MlflowLogger: trackingUri must begin with http:// or https://, got ${JSON.stringify(trackingUri)}`,
      );
    this.#base = `${trackingUri.replace(/\/+$/, "")}/api/2.0/mlflow`;
    this.#timeout = 1000 * timeoutSeconds;
    this.#retries = retries;
    const env = typeof process === "undefined" ? {} : process.env;
    const token = given.token ?? env["MLFLOW_TRACKING_TOKEN"];
    const username = given.username ?? env["MLFLOW_TRACKING_USERNAME"];
    const password = given.password ?? env["MLFLOW_TRACKING_PASSWORD"] ?? "";
    // As MLflow's own client: a user's name goes before a token.
    const authorization = username
      ? `Basic ${base64(`${username}:${password}`)}`
      : token
        ? `Bearer ${token}`
        : undefined;
    this.#headers = {
      "Content-Type": "application/json",
      ...(authorization !== undefined && { Authorization: authorization }),
    };
  }

  get(
    path: string,
    query: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const search = new URLSearchParams(query).toString();
    return this.#request(`${this.#base}/${path}?${search}`, { method: "GET" }, signal);
  }

  post(path: string, body: unknown, signal?: AbortSignal): Promise<unknown> {
    const request = { method: "POST", body: JSON.stringify(body) };
    return this.#request(`${this.#base}/${path}`, request, signal);
  }

  /** @throws MlflowError once no repetition has helped, or at once where none can. */
  async #request(url: string, request: RequestInit, signal?: AbortSignal): Promise<unknown> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#once(url, request, signal);
      } catch (error) {
        const again = error instanceof MlflowError && error.isPassing && attempt < this.#retries;
        if (!again || signal?.aborted) throw error;
        await pause(Math.min(LONGEST_WAIT, 0.5 * 2 ** attempt), signal);
      }
    }
  }

  async #once(url: string, request: RequestInit, signal?: AbortSignal): Promise<unknown> {
    const limits = [AbortSignal.timeout(this.#timeout), ...(signal ? [signal] : [])];
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, {
        ...request,
        headers: this.#headers,
        signal: AbortSignal.any(limits),
      });
      text = await response.text();
    } catch (error) {
      throw new MlflowError(
        `${new URL(url).origin} cannot be reached (${reasonOf(error)})`,
        null,
        true,
        {
          cause: error,
        },
      );
    }
    const answer = parsed(text);
    if (response.ok && answer !== null) return answer;
    const { error_code: code, message } = answer ?? {};
    const isPassing = response.status >= 500 || response.status === 429 || response.status === 408;
    const what = typeof message === "string" ? message : text.slice(0, 200);
    throw new MlflowError(
      response.ok
        ? `${new URL(url).origin} does not answer as MLflow does; check the address`
        : `${new URL(url).pathname}: ${response.status} ${response.statusText}: ${what}`,
      typeof code === "string" ? code : null,
      isPassing,
    );
  }
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Waits, but no longer than until the signal. */
const pause = (seconds: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, 1000 * seconds);
    signal?.addEventListener("abort", end);
  });

/** `fetch` hides what happened in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error)
    return "code" in cause && typeof cause.code === "string" ? cause.code : cause.message;
  return error.message;
}

const base64 = (text: string): string =>
  btoa(String.fromCharCode(...new TextEncoder().encode(text)));
