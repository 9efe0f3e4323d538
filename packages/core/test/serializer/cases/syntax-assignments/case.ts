let n = 5
let maybe: number | undefined
let text = ''
const log: string[] = []
const object: any = { get n() { log.push('get'); return 1 } }
export const fn = () => {
  n **= 2
  n++
  maybe ??= n
  maybe &&= maybe + 1
  text += `${n}`
  for (n of [7, 8]);
  for (text in { key: 1 });
  delete object.missing
  return [n, maybe, text, object.n, log, typeof n, void 0]
}
export const expected = [8, 27, 'key', 1, ['get'], 'number', undefined]
