// What functions give to, and get from, the steps that the server performs as HTTP requests. Types
// only; `gateway-steps.ts` implements them.

/** What `step.fetch` sends, as in the platform's `fetch`. */
export interface FetchStepInit {
  /** `GET` unless said. */
  readonly method?: string;
  readonly headers?:
    | Headers
    | Readonly<Record<string, string>>
    | readonly (readonly [name: string, value: string])[];
  /** Text, or a form. Send JSON as `JSON.stringify(value)` with its content type. */
  readonly body?: string | URLSearchParams;
}

/**
 * How to reach an AI model: where, with which key, and how its provider wants the key. Write one
 * by hand, or take one of `@inngest/ai`: its models fit.
 */
export interface AiModel<Input = Readonly<Record<string, unknown>>, Output = unknown> {
  /** The provider's dialect, which says in which header the key goes. */
  readonly format:
    | "openai-chat"
    | "openai-responses"
    | "anthropic"
    | "gemini"
    | "grok"
    | "azure-openai"
    | (string & Record<never, never>);
  /** The whole URL that takes the POST. */
  readonly url?: string;
  /** Sent by the server, and shown to nobody; the server forgets it when the step has ended. */
  readonly authKey?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called with copies of the model and of the body, to complete them. */
  readonly onCall?: (model: never, body: never) => void;
  /** Carries the types of request and response; there is no such value. */
  readonly "~types"?: { readonly input: Input; readonly output: Output };
}

/** Options of `step.ai.infer`. */
export interface InferOptions<Input, Output> {
  readonly model: AiModel<Input, Output>;
  /** What the provider gets, as JSON. */
  readonly body: Input;
}
