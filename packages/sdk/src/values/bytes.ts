// Binary values to base64 and back, with nothing but what every runtime has. Numbers wider than a
// byte are little-endian, as all platforms that run JavaScript today store them.
import type { BinaryTag } from "./tags.ts";

/** Standard base64 with padding. */
export function bytesToBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let start = 0; start < bytes.length; start += 8_192) {
    binary += String.fromCharCode(...bytes.subarray(start, start + 8_192));
  }
  return btoa(binary);
}

/** The bytes of a base64 text; null when it is not base64. */
export function base64ToBytes(text: string): Uint8Array<ArrayBuffer> | null {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return null;
  }
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index += 1) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

type ViewMaker = (buffer: ArrayBuffer) => unknown;

const makers: Record<BinaryTag, { readonly width: number; readonly make: ViewMaker }> = {
  arraybuffer: { width: 1, make: (buffer) => buffer },
  dataview: { width: 1, make: (buffer) => new DataView(buffer) },
  int8array: { width: 1, make: (buffer) => new Int8Array(buffer) },
  uint8array: { width: 1, make: (buffer) => new Uint8Array(buffer) },
  uint8clampedarray: { width: 1, make: (buffer) => new Uint8ClampedArray(buffer) },
  int16array: { width: 2, make: (buffer) => new Int16Array(buffer) },
  uint16array: { width: 2, make: (buffer) => new Uint16Array(buffer) },
  int32array: { width: 4, make: (buffer) => new Int32Array(buffer) },
  uint32array: { width: 4, make: (buffer) => new Uint32Array(buffer) },
  float32array: { width: 4, make: (buffer) => new Float32Array(buffer) },
  float64array: { width: 8, make: (buffer) => new Float64Array(buffer) },
  bigint64array: { width: 8, make: (buffer) => new BigInt64Array(buffer) },
  biguint64array: { width: 8, make: (buffer) => new BigUint64Array(buffer) },
};

/** The binary value of a kind from its base64; undefined when the text does not fit the kind. */
export function decodeBinary(tag: BinaryTag, text: string): unknown {
  const bytes = base64ToBytes(text);
  const maker = makers[tag];
  if (bytes === null || bytes.length % maker.width !== 0) return undefined;
  return maker.make(bytes.buffer);
}

/** The kind of a binary value by its brand, such as `Uint8Array`; null when it is not one. */
export function binaryTagOf(brand: string): BinaryTag | null {
  const tag = brand.toLowerCase();
  return Object.hasOwn(makers, tag) ? (tag as BinaryTag) : null; // proof: it is a key of makers
}

/** The bytes that a binary value covers. */
export function bytesOf(value: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (!ArrayBuffer.isView(value)) return new Uint8Array(value);
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}
