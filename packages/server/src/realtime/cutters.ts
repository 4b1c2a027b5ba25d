// Cuts what is streamed into pieces that can stand alone: text into chunks of whole characters, events
// of SSE at their ends. It must not know where pieces go.

/** Cuts UTF-8 into texts of at most so many bytes, each passed on as soon as it is there. */
export class TextCutter {
  readonly #bytesMax: number;
  readonly #pass: (text: string) => void;
  /** Characters that are cut in two by the pieces are put together; what is no UTF-8 is replaced. */
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(bytesMax: number, pass: (text: string) => void) {
    this.#bytesMax = bytesMax;
    this.#pass = pass;
  }

  take(piece: Uint8Array): void {
    this.#cut(this.#decoder.decode(piece, { stream: true }));
  }

  end(): void {
    this.#cut(this.#decoder.decode());
  }

  #cut(text: string): void {
    const bytes = Buffer.from(text);
    for (let start = 0; start < bytes.length; ) {
      let end = Math.min(bytes.length, start + this.#bytesMax);
      while (end < bytes.length && isInsideCharacter(bytes[end] ?? 0)) end -= 1;
      this.#pass(bytes.toString("utf8", start, end));
      start = end;
    }
  }
}

function isInsideCharacter(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** How much of an event is kept until its end comes; bytes that are no events pass in such pieces. */
const eventBytesMax = 16 * 1024;

/**
 * Passes bytes on behind the empty line that ends an event of SSE, so that nothing else gets between
 * its lines. The bytes themselves stay as they are.
 */
export class EventCutter {
  readonly #pass: (bytes: Uint8Array) => void;
  #kept: Buffer = Buffer.alloc(0);

  constructor(pass: (bytes: Uint8Array) => void) {
    this.#pass = pass;
  }

  take(piece: Uint8Array): void {
    const bytes = Buffer.concat([this.#kept, piece]);
    const lastEnd = bytes.lastIndexOf("\n\n");
    const tooMuch = bytes.length > eventBytesMax ? bytes.length : 0;
    const end = lastEnd === -1 ? tooMuch : lastEnd + 2;
    if (end > 0) this.#pass(bytes.subarray(0, end));
    this.#kept = bytes.subarray(end);
  }

  end(): void {
    if (this.#kept.length > 0) this.#pass(this.#kept);
    this.#kept = Buffer.alloc(0);
  }
}
