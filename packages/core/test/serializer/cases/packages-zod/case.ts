import { z } from 'zod'
const schema = z.object({ a: z.number(), tags: z.array(z.string()).optional() })
const strict = schema.strict().refine(x => x.a > 0, 'positive')
type Input = z.infer<typeof schema>
const parse = (x: unknown): Input => schema.parse(x)
export const cases = [
  { name: 'schema', fn: (x: unknown) => schema.safeParse(x).success, args: [{ a: 1 }], expected: true, warns: /schema/ },
  { name: 'refined', fn: (x: unknown) => strict.safeParse(x).error?.issues[0]?.message, args: [{ a: -1 }], expected: 'positive', warns: /strict|schema/ },
  { name: 'helper', fn: (x: unknown) => parse(x), args: [{ a: 2 }], expected: { a: 2 }, warns: /schema/ },
  { name: 'made on the worker', fn: () => z.string().email().safeParse('x').success, expected: false },
  // zod throws instances of a class that it exports nowhere
  { name: 'ZodError', fn: () => z.number().parse('x'), throws: (e: any) => { if (e.remoteName !== 'ZodError' || e.issues[0]?.code !== 'invalid_type') throw e } },
]
