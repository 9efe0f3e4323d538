// Made again, they would do once more what they do.
const answer = Promise.resolve(5)
const all = { answer: Promise.resolve(6), list: [1] }
export const cases = [
  { name: 'a const', fn: async () => await answer, fails: /answer cannot be copied because it is a Promise \(await it first\)/ },
  { name: 'in an object', fn: async () => await all.answer, fails: /all\.answer cannot be copied because it is a Promise/ },
]
