/** Arrays of eight bits a number, as `builder/quantised.py` packs them. */

/** Returns `{ shape, values }`: the numbers as a `Float32Array`, row by row. */
export function unpack({ shape, type, scale, base64 }) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const codes = type === "int8" ? new Int8Array(bytes.buffer) : bytes;
  const values = new Float32Array(codes.length);
  const width = codes.length / shape[0];
  for (let i = 0; i < codes.length; i++) values[i] = codes[i] * (Array.isArray(scale) ? scale[Math.floor(i / width)] : scale);
  return { shape, values };
}
