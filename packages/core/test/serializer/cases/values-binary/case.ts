const bytes = new Uint8Array([1, 2, 3])
const buffer = Buffer.from('hey')
const floats = new Float64Array([1.5])
const big = new Float64Array(1e5).fill(7)
const longs = new BigInt64Array([-1n, 2n ** 62n])
const clamped = new Uint8ClampedArray([300])
const whole = new ArrayBuffer(8)
const view = new DataView(whole, 2, 4)
view.setInt16(0, -5)
const first = new Uint8Array(whole)

export const cases = [
  {
    name: 'typed arrays and Buffer',
    fn: () => [bytes[2], bytes instanceof Uint8Array, buffer.toString(), Buffer.isBuffer(buffer), floats[0]],
    expected: [3, true, 'hey', true, 1.5],
  },
  { name: '800 KB', fn: () => big.reduce((a, b) => a + b, 0), expected: 7e5 },
  { name: 'BigInt64Array', fn: () => longs, expected: longs },
  { name: 'clamped', fn: () => clamped, expected: clamped },
  { name: 'views share a buffer', fn: () => [view.buffer === first.buffer, view.getInt16(0), first[2]], expected: [true, -5, 255] },
  { name: 'as result', fn: () => [Buffer.from('x'), new Uint16Array([1, 2])], expected: [Buffer.from('x'), new Uint16Array([1, 2])] },
]
