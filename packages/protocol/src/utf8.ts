// Sizes and bytes of text in UTF-8, the encoding in which every limit of the protocol counts.
// Must run on any JavaScript runtime: no imports.

const encoder = new TextEncoder();

/** The UTF-8 bytes of a text; a lone surrogate becomes U+FFFD. */
export function utf8Bytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** How many bytes the text takes in UTF-8, without encoding it; a lone surrogate counts three. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    if (unit < 0x800) {
      bytes += 1;
      continue;
    }
    bytes += 2;
    const next = unit >= 0xd800 && unit <= 0xdbff ? text.charCodeAt(at + 1) : 0;
    // A pair is two units and four bytes: two more than its units, counted once.
    if (next >= 0xdc00 && next <= 0xdfff) at += 1;
  }
  return bytes;
}

/** Whether the text takes more than `bytesMax` bytes; cheap when it is far from the limit. */
export function exceedsBytes(text: string, bytesMax: number): boolean {
  if (text.length > bytesMax) return true;
  return text.length * 3 > bytesMax && utf8Length(text) > bytesMax;
}
