// Windows line ends and a byte order mark.
const factor = 3
const text = `a
b`
export const cases = [
  { name: "closure", fn: x => {
    return x * factor
  }, args: [2], expected: 6 },
  { name: "template", fn: () => `${text}|
`, expected: "a\nb|\n" },
]
