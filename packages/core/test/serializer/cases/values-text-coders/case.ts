const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-16le')
export const fn = () => [encoder.encode('é'), decoder.decode(new Uint8Array([104, 0, 105, 0]))]
export const expected = [new Uint8Array([195, 169]), 'hi']
export const warns = /coder/
